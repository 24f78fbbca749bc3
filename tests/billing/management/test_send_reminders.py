import io

import pytest
from django.core.management import call_command

from billing.models import BillingEntity, Delivery
from tests.billing.desks import invoice_of, small_books

pytestmark = pytest.mark.django_db


def test_it_says_how_many_it_queued_and_queues_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice_of(small_books())
    BillingEntity.objects.update(reminder_days=[7])
    monkeypatch.setenv("SQUILL_NOW", "2026-03-10T12:00:00Z")
    said = io.StringIO()
    for _time in range(2):
        call_command("send_reminders", stdout=said)
    assert said.getvalue() == "1 reminder is queued.\n0 reminders are queued.\n"
    assert list(Delivery.objects.filter(kind="reminder").values_list("occasion", "status")) == [("+7", "queued")]
