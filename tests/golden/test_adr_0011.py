"""The worked example of ADR 0011: the job exists if and only if the invoice is final."""

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.invoicing.finalizing import finalize_invoice
from billing.models import Delivery, Invoice
from billing.runs.run import run_billing
from tests.golden.books import ACTOR, day, sell, subscribe, use

pytestmark = pytest.mark.django_db


class PowerCut(Exception):
    """What ends a transaction in this test."""


def _jobs() -> list[tuple[str, dict[str, int]]]:
    return list(ProcrastinateJob.objects.values_list("task_name", "args"))


def _finalize_and_lose_power(invoice: Invoice) -> None:
    with transaction.atomic():
        finalize_invoice(invoice_id=invoice.pk, as_of=day(2, 1), actor=ACTOR, now=day(2, 1))
        assert len(_jobs()) == 1
        raise PowerCut


def test_the_job_is_committed_with_the_invoice_or_not_at_all() -> None:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscribe()
    use("january", "500", day(1, 10))
    run_billing(as_of=day(2, 1), finalize=False, actor=ACTOR, now=day(2, 1))
    invoice = Invoice.objects.get()
    with pytest.raises(PowerCut):
        _finalize_and_lose_power(invoice)
    assert _jobs() == []
    assert not Delivery.objects.exists()

    finalize_invoice(invoice_id=invoice.pk, as_of=day(2, 1), actor=ACTOR, now=day(2, 1))
    assert _jobs() == [("billing.deliver", {"invoice_id": invoice.pk})]
    assert Delivery.objects.get().recipient == "accounts@acme.example"
