"""What is done to subscriptions in the tests of the lifecycle, and what is read back, in few words."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingPeriod, Invoice, Subscription, SubscriptionChange
from billing.reconciliation.report import reconcile
from billing.subscriptions.changing import (
    When,
    change_plan,
    change_quantity,
    end_subscription,
    pause_subscription,
    put_add_on,
    resume_subscription,
    undo_change,
)
from billing.subscriptions.refusals import SubscriptionError
from tests.billing.builders import ACTOR, at, invoices, row_counts

_DOCUMENTS = "I10"


def when_of(text: str) -> When:
    """ "period_end", or an instant; a day alone is its noon in UTC, which is that day in most time zones."""
    if text == "period_end":
        return "period_end"
    return at(text if "T" in text else f"{text}T12:00:00Z")


def _said(subscription: Subscription, now: str) -> dict[str, Any]:
    return {"subscription_id": subscription.pk, "actor": ACTOR, "now": at(now if "T" in now else f"{now}T12:00:00Z")}


def move(
    subscription: Subscription, plan: str, when: str, *, now: str | None = None, quantities: Mapping[str, str] | None = None
) -> Subscription:
    """Change the plan; decided on the day itself unless `now` says otherwise."""
    numbers = {code: Decimal(number) for code, number in (quantities or {}).items()}
    return change_plan(plan_code=plan, when=when_of(when), quantities=numbers, **_said(subscription, now or when))


def seat(subscription: Subscription, quantity: str, when: str, *, now: str | None = None, charge: str = "seats") -> Subscription:
    """Set the quantity of a fee."""
    return change_quantity(charge_code=charge, quantity=Decimal(quantity), when=when_of(when), **_said(subscription, now or when))


def add(
    subscription: Subscription, add_on: str, when: str, *, quantity: str = "1", code: str = "", now: str | None = None
) -> Subscription:
    """Put an add-on on, or take it off with 0."""
    return put_add_on(
        plan_code=add_on, quantity=Decimal(quantity), when=when_of(when), code=code, **_said(subscription, now or when)
    )


def pause(subscription: Subscription, when: str, *, now: str | None = None) -> Subscription:
    return pause_subscription(when=when_of(when), **_said(subscription, now or when))


def resume(subscription: Subscription, when: str, *, now: str | None = None) -> Subscription:
    return resume_subscription(when=when_of(when), **_said(subscription, now or when))


def end(subscription: Subscription, when: str, *, now: str | None = None) -> Subscription:
    return end_subscription(ends_at=when_of(when), **_said(subscription, now or when))


def undo(subscription: Subscription, change: SubscriptionChange, *, now: str) -> Subscription:
    return undo_change(change_id=change.pk, **_said(subscription, now))


def newest(subscription: Subscription) -> SubscriptionChange:
    """The change that was decided last."""
    return SubscriptionChange.objects.filter(subscription=subscription, undone_at=None).order_by("-pk")[0]


def periods(subscription: Subscription) -> list[tuple[str, str, str, str]]:
    """The live periods: first day, end day, kind and plan."""
    rows = BillingPeriod.objects.filter(subscription=subscription, superseded_at=None).order_by("index")
    return [
        (row.first_day.isoformat(), row.end_day.isoformat(), row.kind, row.plan_version.plan.code)
        for row in rows.select_related("plan_version__plan")
    ]


def said(invoice: Invoice) -> list[tuple[str, str, str, int]]:
    """The lines of an invoice: group, charge, first day of the period it belongs to, minor units."""
    return [
        (line.group, line.charge_code, line.first_day.isoformat(), line.amount_minor)
        for line in invoice.lines.order_by("position")
    ]


def invoice_at(boundary: str) -> Invoice:
    """The live invoice of a boundary (midnight UTC, or an instant)."""
    (found,) = [invoice for invoice in invoices(boundary_at=at(boundary)) if invoice.status != Invoice.Status.VOID]
    return found


def unpaid_differences() -> list[str]:
    """What reconcile says is wrong, and what it says is still to be billed; PDFs that wait in the queue are no matter here."""
    found = reconcile()
    return [*found.differences, *(text for text in found.pending if not text.startswith(_DOCUMENTS))]


def refused(attempt: Callable[[], object], code: str, field: str) -> str:
    """Assert that the attempt is refused with this code and field and that no row was written; return the message."""
    before, rows = row_counts(), _rows()
    with pytest.raises(SubscriptionError) as caught:
        attempt()
    assert (caught.value.code, caught.value.field) == (code, field)
    assert (row_counts(), _rows()) == (before, rows)
    return caught.value.message


def _rows() -> list[Any]:
    """What a refusal must not move, beyond the number of rows."""
    tables = (Subscription, BillingPeriod, SubscriptionChange)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def days(text: str) -> date:
    return date.fromisoformat(text)
