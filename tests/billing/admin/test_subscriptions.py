import pytest
from django.test import Client

from billing.models import BillingPeriod, Plan, Subscription
from customers.models import AuditEvent
from tests.billing.builders import at, make_catalog, make_customer, row_counts, subscribe
from tests.billing.desks import small_books

pytestmark = pytest.mark.django_db

ADD = "/admin/billing/subscription/add/"


def start(desk: Client, **values: object) -> str:
    answer = desk.post(ADD, {"external_id": "", "ends_on": "", **values}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_subscription_is_started_on_the_customers_local_day(desk: Client) -> None:
    make_catalog()
    customer = make_customer(timezone="America/New_York")
    assert desk.get(ADD).status_code == 200
    start(desk, customer=customer.pk, plan=Plan.objects.get().pk, starts_on="2026-02-01")
    subscription = Subscription.objects.get()
    # Midnight in New York is five hours behind UTC in winter.
    assert (subscription.started_on.isoformat(), subscription.starts_at) == ("2026-02-01", at("2026-02-01T05:00:00Z"))
    assert AuditEvent.objects.get(action="subscription.started").actor_label == "finance@example.com"


def test_what_the_service_refuses_stands_in_the_form_and_nothing_is_written(desk: Client) -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    plan = Plan.objects.get()
    before = row_counts()
    assert "is on plan basic at that time already" in start(desk, customer=customer.pk, plan=plan.pk, starts_on="2026-02-01")
    dollars = make_customer("summit", currency="USD")
    page = start(desk, customer=dollars.pk, plan=plan.pk, starts_on="2026-02-01")
    assert "has no price in USD" in page
    page = start(desk, customer=dollars.pk, plan=plan.pk, starts_on="2026-02-01", ends_on="2026-01-01")
    assert Subscription.objects.count() == 1
    assert row_counts()["billing_billingperiod"] == before["billing_billingperiod"]


def test_ending_asks_for_the_day_and_cuts_the_period(desk: Client) -> None:
    small_books()
    subscription = Subscription.objects.get()
    end = f"/admin/billing/subscription/{subscription.pk}/end/"
    assert "When does" in desk.get(end).content.decode()

    refused = desk.post(end, {"when": "day", "day": "2026-01-15", "step": "do"}, follow=True).content.decode()
    assert "is billed already" in refused
    subscription.refresh_from_db()
    assert subscription.ended_on is None

    desk.post(end, {"when": "day", "day": "2026-02-20", "step": "do"})
    subscription.refresh_from_db()
    assert subscription.ended_on is not None
    assert subscription.ended_on.isoformat() == "2026-02-20"
    assert BillingPeriod.objects.get(index=1).end_day.isoformat() == "2026-02-20"
    assert AuditEvent.objects.get(action="subscription.ended").actor_label == "finance@example.com"


def test_parked_ones_are_found_and_tried_again(desk: Client) -> None:
    small_books()
    subscribe(make_customer("other"))
    subscription = Subscription.objects.get(customer__external_id="acme")
    period = BillingPeriod.objects.get(subscription=subscription, index=1)
    page, again = (
        f"/admin/billing/subscription/{subscription.pk}/change/",
        f"/admin/billing/subscription/{subscription.pk}/try-again/",
    )
    assert again not in desk.get(page).content.decode()
    BillingPeriod.objects.filter(pk=period.pk).update(parked_at=at("2026-02-02"), attempts=3, last_error="ValueError: no")

    parked = desk.get("/admin/billing/subscription/?state=parked").content.decode()
    assert subscription.external_id in parked
    assert "other:basic" not in parked
    assert again in desk.get(page).content.decode()

    assert "1 period is tried again by the next run." in desk.post(again, follow=True).content.decode()
    period.refresh_from_db()
    assert (period.parked_at, period.attempts, period.last_error) == (None, 0, "ValueError: no")
    event = AuditEvent.objects.get(action="subscription.unparked")
    assert (event.actor_label, event.before) == ("finance@example.com", {"parked": 1, "errors": ["ValueError: no"]})

    desk.post(again)  # nothing is parked any more, so nothing is written
    assert AuditEvent.objects.filter(action="subscription.unparked").count() == 1
