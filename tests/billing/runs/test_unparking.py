import pytest

from billing.models import BillingPeriod, Subscription
from billing.runs.due import due_boundaries
from billing.runs.unparking import unpark_subscription
from tests.billing.builders import ACTOR, at, bill, invoices, row_counts
from tests.billing.desks import small_books

pytestmark = pytest.mark.django_db

LATER = at("2026-03-02")


def test_a_parked_period_is_billed_by_the_next_run_after_it_is_brought_back() -> None:
    small_books()
    subscription = Subscription.objects.get()
    BillingPeriod.objects.filter(index=1).update(parked_at=at("2026-03-01"), attempts=3, last_error="ValueError: no")
    assert due_boundaries(as_of=LATER) == []

    assert unpark_subscription(subscription_id=subscription.pk, actor=ACTOR, now=LATER) == 1

    bill("2026-03-02")
    assert [invoice.due_minor for invoice in invoices()] == [3000, 1800]


def test_without_parked_periods_nothing_is_written() -> None:
    small_books()
    before = row_counts()
    assert unpark_subscription(subscription_id=Subscription.objects.get().pk, actor=ACTOR, now=LATER) == 0
    assert unpark_subscription(subscription_id=0, actor=ACTOR, now=LATER) == 0
    assert row_counts() == before
