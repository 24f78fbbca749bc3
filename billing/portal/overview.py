"""The first page of the portal: what the running period costs so far, what is open, and what the plan costs in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.invoicing.composing import ComposedInvoice
from billing.invoicing.paying.balances import customer_balance
from billing.invoicing.preview import upcoming_invoice
from billing.invoicing.standing import receivables
from billing.invoicing.totalling import CouponTaken
from billing.models import Invoice, Subscription
from billing.portal.invoice_page import invoice_row
from billing.portal.plan_card import plan_card
from billing.rating.terms import TermsBook
from billing.reductions.credits import CreditTaken
from customers.models import Customer
from squill.lib.refusal import Refused
from squill.web import formatting
from squill.web.charts import DayChart
from usage.models import Meter
from usage.selectors import daily_quantities

_NEWEST_INVOICES = 4


@dataclass(frozen=True, slots=True)
class _Running:
    """A subscription that is running, and what its period would cost if it ended now (None between periods)."""

    subscription: Subscription
    upcoming: ComposedInvoice | None
    is_refused: bool  # something is missing that the seller has to enter


def overview_page(customer: Customer, *, now: datetime) -> dict[str, Any]:
    """Return the page, formatted for the customer. Nine queries, and about eight for each running subscription."""
    book = TermsBook()
    running: list[_Running] = []
    composed: list[ComposedInvoice] = []
    for subscription in _running_subscriptions(customer, now):
        upcoming, is_refused = _estimate(subscription, now, book, composed)
        running.append(_Running(subscription, upcoming, is_refused))
        composed += [] if upcoming is None else [upcoming]
    today = now.astimezone(ZoneInfo(customer.timezone)).date()
    invoices = Invoice.objects.filter(customer=customer).exclude(status=Invoice.Status.DRAFT)
    newest = list(invoices.select_related("document").order_by("-issued_on", "-pk")[:_NEWEST_INVOICES])
    return {
        "spend": _spend(composed, newest, customer, today) if composed else None,
        "is_refused": any(one.is_refused for one in running),
        "open": _open(customer, today),
        "balance": _balance(customer, now),
        "chart": _chart(composed, customer, today),
        "plans": [plan_card(one.subscription, book, customer, today=today) for one in running],
        "invoices": [invoice_row(invoice, customer, now=now) for invoice in newest],
    }


def _balance(customer: Customer, now: datetime) -> str:
    """Say what the customer has with us, which pays the next invoices; empty if nothing. Other currencies than its own too."""
    return " + ".join(
        formatting.format_money_minor(each.payments_minor + each.credits_minor, each.currency, customer.locale)
        for each in customer_balance(customer_id=customer.pk, at=now)
        if each.payments_minor or each.credits_minor
    )


def _running_subscriptions(customer: Customer, now: datetime) -> Sequence[Subscription]:
    running = Subscription.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=now), customer=customer, starts_at__lte=now)
    return list(running.select_related("customer", "plan", "plan_version").order_by("starts_at", "pk"))


def _estimate(
    subscription: Subscription, now: datetime, book: TermsBook, others: Sequence[ComposedInvoice]
) -> tuple[ComposedInvoice | None, bool]:
    try:
        return upcoming_invoice(subscription, now=now, terms_book=book, others=others), False
    except Refused:
        return None, True


def _spend(composed: Sequence[ComposedInvoice], newest: Sequence[Invoice], customer: Customer, today: date) -> dict[str, Any]:
    """Add the running periods up. Several subscriptions share the customer's currency."""
    first, last = min(one.first_day for one in composed), max(one.last_day for one in composed)
    done, all_days = (today - first).days + 1, (last - first).days + 1
    total = sum(one.totals.due_minor for one in composed)
    tax = sum(tax.amount_minor for one in composed for tax in one.totals.taxes)
    return {
        "amount": _money(total, customer),
        "days": formatting.format_date_range(first, last, customer.locale),
        "day": done,
        "day_count": all_days,
        "progress": ngettext("Day %(day)d of %(days)d", "Day %(day)d of %(days)d", all_days) % {"day": done, "days": all_days},
        "tax": _("of which %(tax)s tax") % {"tax": _money(tax, customer)} if tax else "",
        "compared": _compared(total, newest, customer),
        "lines": [
            {
                "name": line.description,
                "detail": line.detail,
                "quantity": formatting.format_decimal(line.rated.quantity, customer.locale),
                "unit": line.rated.unit,
                "amount": _money(line.rated.amount_minor, customer),
            }
            for one in composed
            for line in one.lines
        ],
        "subtotal": _money(sum(one.totals.subtotal_minor for one in composed), customer),
        "discounts": _reductions([taken for one in composed for taken in one.document.coupons], customer),
        "credits": _reductions([taken for one in composed for taken in one.document.credits], customer),
        "unpriced": any(one.rated.unpriced for one in composed),
        "has_advance_fees": any(one.rated.ending is not None and one.rated.ending.bills_in_advance for one in composed),
    }


def _reductions(taken: Sequence[CouponTaken | CreditTaken], customer: Customer) -> list[tuple[str, str]]:
    """Add up what each coupon or credit takes off all running periods, under its name."""
    sums: dict[str, int] = {}
    for one in taken:
        label = one.coupon.label if isinstance(one, CouponTaken) else one.credit.label
        sums[label] = sums.get(label, 0) + one.amount_minor
    return [(label, _money(-amount, customer)) for label, amount in sums.items()]


def _compared(total: int, newest: Sequence[Invoice], customer: Customer) -> str:
    last = next((invoice for invoice in newest if invoice.status != Invoice.Status.VOID), None)
    if last is None:
        return ""
    words = {
        "difference": _money(abs(total - last.due_minor), customer),
        "number": last.number,
        "due": _money(last.due_minor, customer),
    }
    if total > last.due_minor:
        return _("%(difference)s more than the last invoice, %(number)s of %(due)s") % words
    if total < last.due_minor:
        return _("%(difference)s less than the last invoice, %(number)s of %(due)s") % words
    return _("As much as the last invoice, %(number)s") % words


def _open(customer: Customer, today: date) -> dict[str, Any]:
    """Return what is left to pay; a customer has one currency."""
    found = receivables(today=today, customer_id=customer.pk)
    open_minor, open_count = sum(one.open_minor for one in found), sum(one.open_count for one in found)
    late_minor, late_count = sum(one.overdue_minor for one in found), sum(one.overdue_count for one in found)
    return {
        "amount": _money(open_minor, customer),
        "note": ngettext("%(count)d open invoice", "%(count)d open invoices", open_count) % {"count": open_count},
        "overdue": _money(late_minor, customer) if late_count else "",
        "overdue_note": ngettext(
            "%(count)d invoice is past its due date", "%(count)d invoices are past their due date", late_count
        )
        % {"count": late_count},
    }


def _chart(composed: Sequence[ComposedInvoice], customer: Customer, today: date) -> DayChart | None:
    """Draw the meter of the dearest line of usage, from the first day of its period to today."""
    lines = [line.rated for one in composed for line in one.lines if line.rated.meter_code and line.rated.end_day > today]
    if not lines:
        return None
    main = max(lines, key=lambda line: line.amount_minor)
    meter = Meter.objects.get(code=main.meter_code)
    end_day = today + timedelta(days=1)
    values = daily_quantities(customer_id=customer.pk, meter=meter, first_day=main.first_day, end_day=end_day)
    title = _("%(meter)s per day, so far") % {"meter": meter.name}
    return DayChart(title=title, first_day=main.first_day, values=tuple(value for _day, value in values), unit=meter.unit)


def _money(minor: int, customer: Customer) -> str:
    return formatting.format_money_minor(minor, customer.currency, customer.locale)
