"""Starting and ending subscriptions: what is refused leaves nothing behind."""

# ruff: noqa: S608 (the statements are made of constants)

from collections.abc import Callable
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError

from billing.invoicing.voiding import void_invoice
from billing.models import BillingPeriod, Subscription, SubscriptionClaim
from billing.subscriptions.changing import end_subscription
from billing.subscriptions.refusals import SubscriptionError
from customers.models import AuditEvent
from customers.services import archive_customer
from tests.billing.builders import (
    ACTOR,
    CALLS,
    NOW,
    assault,
    at,
    bill,
    invoices,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    sql,
    subscribe,
)

pytestmark = pytest.mark.django_db

SECOND_PLAN = CALLS.replace("code: basic", "code: second")
FEES = """
plans:
  - code: seats
    currency: EUR
    charges: [{code: seat, model: flat, amount: "31", billed: in_advance}]
"""


def end(subscription: Subscription, when: str, *, now: str = "2026-01-01") -> Subscription:
    return end_subscription(subscription_id=subscription.pk, ends_at=at(when), actor=ACTOR, now=at(now))


def refused(attempt: Callable[[], object], code: str, field: str) -> str:
    """Assert that the attempt is refused with this code and field and that no row was written; return the message."""
    before = row_counts()
    with pytest.raises(SubscriptionError) as caught:
        attempt()
    assert (caught.value.code, caught.value.field) == (code, field)
    assert row_counts() == before
    return caught.value.message


def test_a_subscription_gets_the_published_version_and_its_periods_up_to_now() -> None:
    make_catalog()
    subscription = subscribe(make_customer(), starts="2025-11-15", now=NOW)
    assert subscription.external_id == "acme:basic:2025-11-15"
    assert subscription.plan_version.version == 1
    assert list(BillingPeriod.objects.order_by("index").values_list("index", "first_day", "end_day")) == [
        (0, at("2025-11-15").date(), at("2025-12-01").date()),
        (1, at("2025-12-01").date(), at("2026-01-01").date()),
        (2, at("2026-01-01").date(), at("2026-02-01").date()),
    ]
    event = AuditEvent.objects.get(action="subscription.started")
    assert (event.object_id, event.customer_id) == (subscription.external_id, subscription.customer_id)


def test_an_unknown_plan_is_refused_with_the_ones_there_are() -> None:
    make_catalog()
    customer = make_customer()
    message = refused(lambda: subscribe(customer, "gold"), "plan_not_found", "plan")
    assert message == "there is no plan gold; plans: basic"


def test_an_archived_version_alone_is_not_sold() -> None:
    make_catalog()
    customer = make_customer()
    sql("UPDATE billing_planversion SET status = 'archived'")
    refused(lambda: subscribe(customer), "plan_not_published", "plan")


def test_a_plan_in_another_currency_is_refused() -> None:
    make_catalog()
    customer = make_customer(currency="USD")
    message = refused(lambda: subscribe(customer), "currency_mismatch", "plan")
    assert message == (
        "plan basic has no price in USD, in which the customer is billed, but in EUR: publish it in USD, or choose another plan"
    )


def test_an_archived_customer_is_refused() -> None:
    make_catalog()
    customer = make_customer()
    archive_customer(customer_id=customer.pk, actor=ACTOR, now=NOW)
    refused(lambda: subscribe(customer), "customer_archived", "customer")


def test_an_end_before_a_day_has_passed_is_refused() -> None:
    make_catalog()
    customer = make_customer()
    refused(lambda: subscribe(customer, ends="2025-12-31"), "ends_before_start", "ends_at")
    refused(lambda: subscribe(customer, ends="2026-01-01T23:59:59Z"), "ends_before_start", "ends_at")


@pytest.mark.parametrize("starts", ["1999-12-31", "2200-01-01", "0002-01-01", "9998-12-31T23:59:59Z"])
def test_a_start_that_must_be_a_slip_of_the_pen_is_refused(starts: str) -> None:
    make_catalog()
    customer = make_customer(timezone="Asia/Tokyo" if starts.startswith("9") else "UTC")
    refused(lambda: subscribe(customer, starts=starts), "out_of_range", "starts_at")


@pytest.mark.parametrize("external_id", ["x" * 256, "nul\x00", " space"])
def test_an_external_id_that_cannot_be_kept_is_refused(external_id: str) -> None:
    make_catalog()
    customer = make_customer()
    refused(lambda: subscribe(customer, external_id=external_id), "external_id_unusable", "external_id")


def test_an_external_id_is_given_once() -> None:
    make_catalog()
    subscribe(make_customer("one"), external_id="S-1")
    two = make_customer("two")
    refused(lambda: subscribe(two, external_id="S-1"), "external_id_taken", "external_id")


def test_the_name_of_a_customer_with_the_longest_id_still_fits() -> None:
    make_catalog()
    first, second = (subscribe(make_customer("x" * 254 + last, email="a@b.example")) for last in "ab")
    assert len(first.external_id) == len(second.external_id) == 255
    assert first.external_id != second.external_id


def test_the_same_plan_twice_at_a_time_is_refused() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer)
    message = refused(lambda: subscribe(customer, starts="2026-06-01"), "overlaps", "plan")
    assert "customer acme is on plan basic at that time already" in message


def test_a_second_plan_that_prices_the_same_meter_is_refused() -> None:
    make_catalog()
    make_catalog(SECOND_PLAN)
    customer = make_customer()
    subscribe(customer)
    message = refused(lambda: subscribe(customer, "second", "2026-03-01"), "meter_taken", "plan")
    assert "its usage would be billed twice" in message
    subscribe(make_customer("other"), "second")  # another customer's usage is another matter


def test_another_plan_may_follow_where_the_first_ends() -> None:
    make_catalog()
    make_catalog(SECOND_PLAN)
    customer = make_customer()
    end(subscribe(customer), "2026-03-01")
    assert subscribe(customer, "second", "2026-03-01").starts_at == at("2026-03-01")


def test_overlaps_are_refused_by_the_database_itself() -> None:
    make_catalog()
    make_catalog(SECOND_PLAN)
    customer = make_customer()
    subscribe(customer)
    copy = """
        INSERT INTO billing_subscriptionclaim (subscription_id, customer_id, plan_id, first_day)
        SELECT subscription_id, customer_id, plan_id, '2030-01-01' FROM billing_subscriptionclaim WHERE plan_id IS NOT NULL
    """
    with pytest.raises(IntegrityError, match="subscription_plan_once_at_a_time"):
        assault(copy)
    other = subscribe(customer, "second", "2020-01-01", ends="2020-02-01")
    claim = f"UPDATE billing_subscriptionclaim SET end_day = NULL WHERE subscription_id = {other.pk}"
    with pytest.raises(IntegrityError, match="meter_priced_once_at_a_time"):
        assault(claim)
    period = (
        "INSERT INTO billing_billingperiod (subscription_id, plan_version_id, kind, index, first_day, end_day, whole_first_day, "
    )
    period += (
        "whole_end_day, starts_at, ends_at, bills_in_advance, attempts, last_error) SELECT subscription_id, plan_version_id, "
    )
    period += "'regular', 99, '2020-01-05', '2020-01-06', '2020-01-05', '2020-01-06', '2020-01-05', '2020-01-06', false, 0, '' "
    period += f"FROM billing_billingperiod WHERE subscription_id = {other.pk}"
    with pytest.raises(IntegrityError, match="billing_period_no_overlap"):
        assault(period)


def test_the_time_zone_and_the_currency_are_fixed_with_the_first_subscription() -> None:
    make_catalog()
    subscribe(make_customer())
    for change in ("timezone = 'Asia/Tokyo'", "currency = 'USD'"):
        with pytest.raises(DatabaseError, match="time zone and currency are fixed"):
            assault(f"UPDATE customers_customer SET {change}")


def test_an_end_cuts_the_period_that_holds_it_and_drops_those_after() -> None:
    make_catalog()
    subscription = end(subscribe(make_customer(), now=at("2026-04-10")), "2026-02-11T15:00:00Z")
    assert (str(subscription.ended_on), subscription.ends_at) == ("2026-02-11", at("2026-02-11"))
    periods = BillingPeriod.objects.order_by("index").values_list("starts_at", "ends_at")
    assert list(periods) == [(at("2026-01-01"), at("2026-02-01")), (at("2026-02-01"), at("2026-02-11"))]
    assert set(SubscriptionClaim.objects.values_list("end_day", flat=True)) == {date(2026, 2, 11)}
    event = AuditEvent.objects.get(action="subscription.ended")
    assert (event.before["ended_on"], event.after["ended_on"]) == (None, "2026-02-11")


def test_an_end_that_cannot_be_is_refused() -> None:
    make_catalog()
    subscription = subscribe(make_customer())
    refused(lambda: end(subscription, "2026-01-01"), "ends_before_start", "ends_at")
    end(subscription, "2026-03-15")
    refused(lambda: end(subscription, "2026-05-01"), "ends_later", "ends_at")
    refused(lambda: end(subscription, "2026-03-15", now="2026-03-15"), "ended_already", "ends_at")
    missing = subscription.pk + 1
    refused(
        lambda: end_subscription(subscription_id=missing, ends_at=at("2026-03-01"), actor=ACTOR, now=NOW),
        "not_found",
        "subscription",
    )
    end(subscription, "2026-03-01")
    assert Subscription.objects.get().ends_at == at("2026-03-01")


def test_an_end_in_a_billed_period_is_refused() -> None:
    make_catalog()
    subscription = subscribe(make_customer())
    bill("2026-02-01")
    message = refused(lambda: end(subscription, "2026-01-20"), "period_billed", "ends_at")
    assert "void its invoice first" in message
    end(subscription, "2026-02-01", now="2026-02-02")  # the first day that is not billed yet


def test_once_the_invoice_is_void_the_end_can_lie_before_it() -> None:
    make_catalog(FEES)
    subscription = subscribe(make_customer(), "seats")
    bill("2026-02-01")  # two at once: January in advance, and February in advance
    refused(lambda: end(subscription, "2026-02-01"), "period_billed", "ends_at")
    void_invoice(invoice_id=invoices()[1].pk, reason="ended", actor=ACTOR, now=at("2026-02-02"))
    end(subscription, "2026-02-01", now="2026-02-02")
    report = bill("2026-03-01")
    assert (report.run.drafted_count, report.failed) == (0, ())  # nothing of February is billed again
    assert [invoice.status for invoice in invoices()] == ["finalized", "void"]


def test_usage_after_the_end_is_nobodys_to_bill() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer, ends="2026-01-16")
    send_usage(customer, "call", 500, "2026-01-15T23:59:59Z")
    send_usage(customer, "call", 999, "2026-01-16T00:00:00Z")
    bill("2026-02-01")
    (invoice,) = invoices()
    assert invoice.lines.get(charge_code="calls").quantity == 500
    assert invoice.boundary_at == at("2026-01-16")
