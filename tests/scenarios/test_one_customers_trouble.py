"""I11: a customer whose invoice cannot be written is noted, then parked; everybody else is billed meanwhile."""

import pytest

from billing.models import BillingPeriod, Invoice
from billing.runs.run import run_billing
from billing.runs.unparking import unpark_subscription
from tests.golden.books import ACTOR, day, sell, subscribe, use

pytestmark = pytest.mark.django_db


def test_trouble_of_one_customer_costs_one_customer_and_is_parked() -> None:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "1000000"}')
    acme = subscribe("acme")
    subscribe("birch")
    # 999,999,999,999,999 * 1,000,000.00 is more than any invoice can hold.
    use("absurd", "999999999999999", day(1, 10), subject="acme")
    use("usual", "2", day(1, 10), subject="birch")

    first = run_billing(as_of=day(2, 1), finalize=True, actor=ACTOR, now=day(2, 1))
    assert first.failed == (acme.external_id,)
    assert (first.run.drafted_count, first.run.finalized_count, first.run.parked_count) == (1, 1, 0)
    assert [(invoice.customer.external_id, invoice.due_minor) for invoice in Invoice.objects.all()] == [("birch", 200_000_000)]

    run_billing(as_of=day(2, 2), finalize=True, actor=ACTOR, now=day(2, 2))
    third = run_billing(as_of=day(2, 3), finalize=True, actor=ACTOR, now=day(2, 3))
    period = BillingPeriod.objects.get(subscription=acme, index=0)
    assert (third.run.parked_count, period.attempts, period.parked_at) == (1, 3, day(2, 3))
    assert "out of range" in period.last_error

    fourth = run_billing(as_of=day(2, 4), finalize=True, actor=ACTOR, now=day(2, 4))
    assert (fourth.failed, fourth.run.parked_count) == ((), 1)

    assert unpark_subscription(subscription_id=acme.pk, actor=ACTOR, now=day(2, 5)) == 1
    assert run_billing(as_of=day(2, 5), finalize=True, actor=ACTOR, now=day(2, 5)).failed == (acme.external_id,)
    assert Invoice.objects.count() == 1
