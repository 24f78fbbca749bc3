"""
Reminders of open invoices: on the days that the seller chose, relative to the due date, each once.

Asks what is due rather than what day it is: of days that were missed only the newest is sent, so that a customer gets one mail
and not a bunch. A payment stops what has not gone out (billing.delivery.deliver looks again before it sends).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from billing.invoicing.dispatch import queue_notice
from billing.locks import lock_invoice
from billing.models import BillingEntity, BillingProfile, Delivery, Invoice

_PAGE_SIZE: Final = 500
# Time zones reach this far ahead of UTC: where it may be the next day already.
_AHEAD: Final = timedelta(days=1)


def send_reminders(now: datetime, *, deadline: Callable[[], bool] | None = None) -> int:
    """
    Queue the reminders whose day has come where the customer is, and return how many. Idempotent; may run at any hour, twice.

    Each invoice is its own transaction, which locks it. With `deadline` it stops once that is true; the next call goes on.
    """
    queued = 0
    for entity in BillingEntity.objects.exclude(reminder_days=[]).order_by("pk"):
        for invoice_id in _open_invoices(entity, now):
            if deadline is not None and deadline():
                return queued
            queued += _remind(invoice_id, now=now)
    return queued


def occasion_of(day: int) -> str:
    """
    Name a reminder by its day relative to the due date.

    >>> occasion_of(7), occasion_of(-3), occasion_of(0)
    ('+7', '-3', '+0')
    """
    return f"{day:+d}"


def reminder_due(*, days: list[int], due_on: date, issued_on: date, today: date) -> int | None:
    """
    Return the newest of the days, relative to the due date, that has come; None if none has. Pure.

    A reminder of what is to come is of no use after the due date, or on the day on which the invoice itself goes out.

    >>> from functools import partial
    >>> due, issued = date(2026, 3, 31), date(2026, 3, 1)
    >>> ask = partial(reminder_due, days=[-3, 1, 7], due_on=due, issued_on=issued)
    >>> ask(today=date(2026, 3, 27)), ask(today=date(2026, 3, 28)), ask(today=date(2026, 4, 9))
    (None, -3, 7)
    """
    came = [day for day in days if due_on + timedelta(days=day) <= today]
    if not came or due_on + timedelta(days=max(came)) <= issued_on:
        return None
    newest = max(came)
    return None if newest < 0 and today > due_on else newest


def _open_invoices(entity: BillingEntity, now: datetime) -> Iterator[int]:
    """Yield the invoices whose first reminder day may have come, in pages by primary key, so that no cursor stays open."""
    latest_due = (now + _AHEAD).date() - timedelta(days=min(entity.reminder_days))
    invoices = _unpaid().filter(billing_entity=entity, due_on__lte=latest_due).exclude(customer__email="").order_by("pk")
    paused = BillingProfile.objects.filter(reminders_paused=True).values("customer_id")
    last = 0
    while page := list(invoices.exclude(customer__in=paused).filter(pk__gt=last).values_list("pk", flat=True)[:_PAGE_SIZE]):
        yield from page
        last = page[-1]


def _unpaid() -> QuerySet[Invoice]:
    """Return what can be reminded of: open, with something left to pay; not given up, not void, no draft."""
    return Invoice.objects.filter(status=Invoice.Status.FINALIZED, due_minor__gt=F("paid_minor") + F("credited_minor"))


@transaction.atomic
def _remind(invoice_id: int, *, now: datetime) -> bool:
    invoice = lock_invoice(invoice_id)
    if invoice.status != Invoice.Status.FINALIZED or invoice.left_minor <= 0:
        return False
    day = reminder_due(
        days=invoice.billing_entity.reminder_days,
        due_on=invoice.due_on,
        issued_on=invoice.issued_on,
        today=now.astimezone(ZoneInfo(invoice.customer.timezone)).date(),
    )
    if day is None:
        return False
    reminders = Delivery.objects.filter(invoice=invoice, kind=Delivery.Kind.REMINDER)
    if reminders.filter(occasion=occasion_of(day)).exists():
        return False
    reminders.filter(status=Delivery.Status.QUEUED).update(
        status=Delivery.Status.CANCELLED, last_error=_("a later reminder took its place before it was sent")
    )
    kind = Delivery.Kind.REMINDER
    queue_notice(invoice, kind=kind, recipient=invoice.customer.email, now=now, occasion=occasion_of(day))
    return True
