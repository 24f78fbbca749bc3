"""What each kind of notice says, in the language that is active: words and formatted values, no markup."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import npgettext, pgettext

from billing.invoicing.snapshot import InvoiceSnapshot
from billing.invoicing.snapshotting import payment_url
from billing.models import Delivery, Invoice
from squill.web import formatting

# More lines than a mail is read for; the PDF has them all.
LINES_SHOWN: Final = 8
type Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One mail, ready to be put into its templates. Rows are (label, value)."""

    subject: str
    title: str
    figure: str  # the amount that the mail is about
    note: str  # under the figure: when it is due, or that nothing is
    is_urgent: bool = False
    button: str
    button_url: str
    other_link: str = ""  # beside the button
    other_url: str = ""
    lines: Rows = ()
    lines_note: str = ""
    totals: Rows = ()
    result: tuple[str, str] = ("", "")  # the row that the totals come to
    after: Rows = ()  # what becomes of it
    bank: Rows = ()
    closing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What a notice is about, with the customer's way of writing amounts and days."""

    delivery: Delivery
    snapshot: InvoiceSnapshot
    now: datetime

    def money(self, minor: int) -> str:
        """Write an amount of the document's currency."""
        return formatting.format_money_minor(minor, self.snapshot.currency, self.snapshot.locale)

    @property
    def words(self) -> dict[str, str]:
        """What most sentences name."""
        snapshot = self.snapshot
        return {
            "number": snapshot.number,
            "seller": snapshot.seller.name or snapshot.seller.legal_name,
            "buyer": snapshot.buyer.name or snapshot.buyer.legal_name,
            "due_on": formatting.format_date(snapshot.due_on, snapshot.locale),
            "issued_on": formatting.format_date(snapshot.issued_on, snapshot.locale),
        }

    @property
    def days_overdue(self) -> int:
        """How many days ago the due date was, by the customer's day; zero or less: it is still to come."""
        return (self.now.astimezone(ZoneInfo(self.snapshot.timezone)).date() - self.snapshot.due_on).days


def notice_of(matter: Matter) -> Notice:
    """Write the notice of a delivery in the active language."""
    writers: Mapping[str, Callable[[Matter], Notice]] = {
        Delivery.Kind.INVOICE: _invoice,
        Delivery.Kind.REMINDER: _reminder,
        Delivery.Kind.CREDIT_NOTE: _credit_note,
        Delivery.Kind.RECEIPT: _receipt,
    }
    return writers[matter.delivery.kind](matter)


def _invoice(matter: Matter) -> Notice:
    invoice = _invoice_of(matter)
    words = matter.words | {"left": matter.money(_left(invoice)), "total": matter.money(matter.snapshot.total_minor)}
    settled = _settled(matter, invoice)
    common: dict[str, Any] = {
        "title": pgettext("mail", "Invoice %(number)s for %(buyer)s") % words,
        "totals": [*_discount(matter), *_taxes(matter), *(settled if len(settled) > 1 else [])],
        "result": (pgettext("mail", "Left to pay"), words["left"]) if len(settled) > 1 else settled[0],
        "closing": pgettext("mail", "What each line is made of, day by day, is shown on the page of the invoice."),
        **_lines(matter),
        **_pay_or_see(matter, invoice),
    }
    if not _left(invoice):
        return Notice(
            subject=pgettext("mail", "Invoice %(number)s from %(seller)s: %(total)s, nothing left to pay") % words,
            figure=words["total"],
            note=pgettext("mail", "Nothing is left to pay."),
            **common,
        )
    return Notice(
        subject=pgettext("mail", "Invoice %(number)s from %(seller)s: %(left)s due %(due_on)s") % words,
        figure=words["left"],
        note=pgettext("mail", "due on %(due_on)s") % words,
        bank=_bank(matter),
        **common,
    )


def _reminder(matter: Matter) -> Notice:
    invoice = _invoice_of(matter)
    words = matter.words | {"left": matter.money(_left(invoice))}
    days = matter.days_overdue
    common: dict[str, Any] = {
        "title": pgettext("mail", "Invoice %(number)s for %(buyer)s") % words,
        "figure": words["left"],
        "totals": [(pgettext("mail", "Issued on"), words["issued_on"]), *_settled(matter, invoice)],
        "result": (pgettext("mail", "Left to pay"), words["left"]),
        "bank": _bank(matter),
        "closing": pgettext("mail", "Has it been paid in the meantime? Then there is nothing to do."),
        **_pay_or_see(matter, invoice),
    }
    if days > 0:
        late = npgettext(
            "mail", "%(days)d day overdue: it was due on %(due_on)s", "%(days)d days overdue: it was due on %(due_on)s", days
        )
        return Notice(
            subject=pgettext("mail", "Overdue: invoice %(number)s from %(seller)s, %(left)s was due %(due_on)s") % words,
            note=late % (words | {"days": days}),
            is_urgent=True,
            **common,
        )
    today = pgettext("mail", "due today") if days == 0 else pgettext("mail", "due on %(due_on)s") % words
    return Notice(
        subject=pgettext("mail", "Reminder: invoice %(number)s from %(seller)s, %(left)s due %(due_on)s") % words,
        note=today,
        **common,
    )


def _credit_note(matter: Matter) -> Notice:
    snapshot = matter.snapshot
    words = matter.words | {"total": matter.money(snapshot.total_minor)}
    credited = [each.number for each in snapshot.related]
    words["invoice"] = credited[0] if credited else ""
    settled = snapshot.settlement
    ways = (
        (pgettext("mail", "Taken off invoice %(invoice)s") % words, settled.to_invoice_minor if settled else 0),
        (pgettext("mail", "Kept for your next invoices"), settled.to_balance_minor if settled else 0),
        (pgettext("mail", "Paid back to you"), settled.to_refund_minor if settled else 0),
    )
    return Notice(
        subject=pgettext("mail", "Credit note %(number)s from %(seller)s: %(total)s for invoice %(invoice)s") % words,
        title=pgettext("mail", "Credit note %(number)s for %(buyer)s") % words,
        figure=words["total"],
        note=pgettext("mail", "credited for invoice %(invoice)s") % words,
        totals=[*_discount(matter), *_taxes(matter)],
        result=(pgettext("mail", "Credited"), words["total"]),
        after=[(label, matter.money(minor)) for label, minor in ways if minor],
        closing=snapshot.reason,
        button=pgettext("mail", "See the invoice"),
        button_url=_page("portal:invoice", words["invoice"]) if credited else _page("portal:invoices"),
        **_lines(matter),
    )


def _receipt(matter: Matter) -> Notice:
    snapshot = matter.snapshot
    (received,) = snapshot.payments
    words = matter.words | {
        "total": matter.money(received.amount_minor),
        "received_on": formatting.format_date(received.received_on, snapshot.locale),
    }
    kept = received.amount_minor - sum(each.amount_minor for each in snapshot.related)
    paid = [
        (pgettext("mail", "Invoice %(number)s") % {"number": each.number}, matter.money(each.amount_minor))
        for each in snapshot.related
    ]
    is_one = len(snapshot.related) == 1
    return Notice(
        subject=pgettext("mail", "Receipt from %(seller)s: %(total)s received on %(received_on)s") % words,
        title=pgettext("mail", "Receipt %(number)s for %(buyer)s") % words,
        figure=words["total"],
        note=pgettext("mail", "received on %(received_on)s. Thank you.") % words,
        lines=[*paid, *([(pgettext("mail", "Kept for your next invoices"), matter.money(kept))] if kept else [])],
        result=(pgettext("mail", "Received"), words["total"]),
        after=[(pgettext("mail", "Reference"), received.reference)],
        button=pgettext("mail", "See the invoice") if is_one else pgettext("mail", "See your invoices"),
        button_url=_page("portal:invoice", snapshot.related[0].number) if is_one else _page("portal:invoices"),
    )


def _invoice_of(matter: Matter) -> Invoice:
    if matter.delivery.invoice is None:
        raise ValueError("this notice is not about an invoice")
    return matter.delivery.invoice


def _left(invoice: Invoice) -> int:
    """What is left to pay now, in minor units; nothing of one that is void."""
    return 0 if invoice.status == Invoice.Status.VOID else invoice.left_minor


def _pay_or_see(matter: Matter, invoice: Invoice) -> dict[str, str]:
    """Lead to where it can be paid, by what is left now; else to its page in the portal."""
    snapshot = matter.snapshot
    page = _page("portal:invoice", snapshot.number)
    online = snapshot.payment_url and payment_url(
        invoice.billing_entity, number=snapshot.number, amount_minor=_left(invoice), currency=snapshot.currency
    )
    if not online:
        return {"button": pgettext("mail", "See the invoice"), "button_url": page}
    return {
        "button": pgettext("mail", "Pay online"),
        "button_url": online,
        "other_link": pgettext("mail", "See the invoice"),
        "other_url": page,
    }


def _lines(matter: Matter) -> dict[str, Any]:
    lines = matter.snapshot.lines
    shown = [(line.description, matter.money(line.amount_minor)) for line in lines[:LINES_SHOWN]]
    rest = len(lines) - len(shown)
    more = npgettext("mail", "%(rest)d more line is in the PDF.", "%(rest)d more lines are in the PDF.", rest) % {"rest": rest}
    return {"lines": shown, "lines_note": more if rest else ""}


def _discount(matter: Matter) -> Rows:
    discount_minor = matter.snapshot.discount_minor
    return [(pgettext("mail", "Discount"), matter.money(-discount_minor))] if discount_minor else []


def _taxes(matter: Matter) -> Rows:
    snapshot = matter.snapshot
    return [
        (
            f"{tax.label or pgettext('mail', 'Tax')} {formatting.format_percent(tax.rate, snapshot.locale)}",
            matter.money(tax.amount_minor),
        )
        for tax in snapshot.taxes
        if tax.amount_minor
    ]


def _settled(matter: Matter, invoice: Invoice) -> Rows:
    """The total, and what of it credits and payments have settled so far."""
    taken = (
        (pgettext("mail", "Credits"), matter.snapshot.credits_minor),
        (pgettext("mail", "Credited since"), invoice.credited_minor),
        (pgettext("mail", "Paid so far"), invoice.paid_minor),
    )
    total = (pgettext("mail", "Total"), matter.money(matter.snapshot.total_minor))
    return [total, *((label, matter.money(-minor)) for label, minor in taken if minor)]


def _bank(matter: Matter) -> Rows:
    bank = matter.snapshot.bank
    if not bank.iban:
        return ()
    iban = " ".join(bank.iban[at : at + 4] for at in range(0, len(bank.iban), 4)) if " " not in bank.iban else bank.iban
    rows = (
        (pgettext("mail", "Account holder"), bank.account_holder),
        (pgettext("mail", "IBAN"), iban),
        (pgettext("mail", "BIC"), bank.bic),
        (pgettext("mail", "Reference"), matter.snapshot.number),
    )
    return [row for row in rows if row[1]]


def _page(name: str, *arguments: str) -> str:
    return str(settings.SQUILL_BASE_URL) + reverse(name, args=arguments)
