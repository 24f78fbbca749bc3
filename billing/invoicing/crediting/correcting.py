"""Differences of settled periods as credit notes, where finance does not wait for the next invoice (I3, ADR 0025)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from billing.invoicing.crediting.issuing import write_credit_note
from billing.invoicing.crediting.planning import (
    Creditable,
    LineLeft,
    PlannedCreditNote,
    PlannedLine,
    TaxKey,
    billed_less,
    corrected_line,
    creditable,
    plan_credit_note,
)
from billing.invoicing.crediting.settling import Rest, UnableToCredit, amount_words
from billing.locks import lock_invoice, lock_subscription
from billing.models import BillingPeriod, CreditNote, Invoice, InvoiceLine, Subscription
from billing.pricing.money import exact
from billing.pricing.taking_back import Taken
from billing.rating.adjustments import Adjustment
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from billing.subscriptions.periods import LIVE
from squill.lib.actor import Actor

_CORRECTION = CreditNote.Reason.CORRECTION
_FINAL = [Invoice.Status.FINALIZED, Invoice.Status.PAID, Invoice.Status.UNCOLLECTIBLE]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCredited:
    """A difference that no credit note can take back, or what is left of it, in minor units before discounts; and why."""

    first_day: date
    charge_code: str
    amount_minor: int  # positive
    why: str


@dataclass(frozen=True, slots=True)
class PlannedCorrections:
    """What the differences of a subscription would become: a credit note for each invoice that billed them, oldest first."""

    credit_notes: Sequence[PlannedCreditNote]
    not_credited: Sequence[NotCredited]


@dataclass(frozen=True, slots=True)
class Corrections:
    """What the differences of a subscription have become."""

    credit_notes: Sequence[CreditNote]
    not_credited: Sequence[NotCredited]


def preview_corrections(*, subscription_id: int, rest: Rest = "balance") -> PlannedCorrections:
    """
    Say what crediting a subscription's differences would do. Reads only.

    Differences that a draft carries are on their way already, and are not among them. Six queries, and six an invoice.

    :raises UnableToCredit: not_rated (the subscription cannot be rated), more_than_paid
    :raises Subscription.DoesNotExist: if there is none
    """
    return _plan(Subscription.objects.select_related("customer").get(pk=subscription_id), rest)


@transaction.atomic
def credit_corrections(
    *, subscription_id: int, reference: str, actor: Actor, now: datetime, explanation: str = "", rest: Rest = "balance"
) -> Corrections:
    """
    Credit what settled periods were billed too much, by the usage and the terms now known: the next invoice carries it no more.

    Each invoice that billed some of it gets a credit note whose quantities and exact amounts count as billed less. Newest lines
    first, so that a correction which is itself corrected goes back before the original. The same reference again returns what
    it made. Locks the subscription, the invoices in the order of their ids, the customer's credits and the counter.

    :raises UnableToCredit: nothing_to_credit, reference_missing, reference_differs, not_rated, more_than_paid
    :raises Subscription.DoesNotExist: if there is none
    """
    reference, explanation = reference.strip(), explanation.strip()
    if not reference:
        raise UnableToCredit(_("give a reference: it makes a repeated request the same credit note"), code="reference_missing")
    subscription = lock_subscription(subscription_id)
    if subscription is None:
        raise Subscription.DoesNotExist
    known = CreditNote.objects.filter(invoice__subscription=subscription, reference=reference).order_by("pk")
    if known:
        if any((note.reason, note.explanation) != (_CORRECTION, explanation) for note in known):
            raise UnableToCredit(_("this reference is that of another credit note: choose another one"), code="reference_differs")
        return Corrections(list(known), ())
    planned = _plan(subscription, rest)
    if not planned.credit_notes:
        raise UnableToCredit(_nothing(planned), code="nothing_to_credit")
    for invoice_id in sorted(note.invoice.pk for note in planned.credit_notes):
        lock_invoice(invoice_id)
    planned = _plan(subscription, rest)  # once more, now that payments and other credit notes wait
    written = [
        write_credit_note(note, explanation=explanation, reference=reference, actor=actor, now=now)
        for note in planned.credit_notes
    ]
    return Corrections(written, planned.not_credited)


def differences_of(subscription: Subscription, terms_book: TermsBook) -> Sequence[Adjustment]:
    """
    Return what settled periods would cost now less what was billed of them, the drafts that there are included. Six queries.

    :raises UnableToCredit: not_rated
    """
    try:
        rated = rate_boundary(
            subscription, boundary_at=subscription.starts_at, terms_book=terms_book, ending=None, beginning=None
        )
    except (ArithmeticError, ValueError) as error:
        message = _("the subscription cannot be rated: %(error)s") % {"error": error}
        raise UnableToCredit(message, code="not_rated") from error
    return rated.adjustments


def is_invoice_to_come(subscription: Subscription) -> bool:
    """Say whether a later invoice of the subscription carries differences by itself. One query, or none."""
    if subscription.ends_at is None:
        return True
    periods = BillingPeriod.objects.filter(LIVE, subscription=subscription)
    return periods.filter(Q(arrears_billed_at=None) | Q(advance_billed_at=None, bills_in_advance=True)).exists()


def _nothing(planned: PlannedCorrections) -> str:
    if planned.not_credited:
        return "; ".join(
            _("%(charge)s of %(day)s: %(why)s") % {"charge": each.charge_code, "day": each.first_day.isoformat(), "why": each.why}
            for each in planned.not_credited
        )
    return _("nothing was billed too much, or a draft carries it already")


def _plan(subscription: Subscription, rest: Rest) -> PlannedCorrections:
    found = [each for each in differences_of(subscription, TermsBook()) if each.line.amount_minor < 0]
    if not found:
        return PlannedCorrections((), ())
    book = _Book(_lines_of(found), {})
    not_credited = [said for each in found if (said := book.take_back(each)) is not None]
    notes = []
    for invoice_id in sorted(book.taken):
        of = book.of(invoice_id)
        lines = sorted(book.taken[invoice_id], key=lambda line: line.row.position)
        if not sum(line.taken.net_minor for line in lines):
            not_credited += [_worth_nothing(line) for line in lines]
            continue
        notes.append(plan_credit_note(of, lines, _CORRECTION, rest))
    return PlannedCorrections(notes, not_credited)


def _worth_nothing(line: PlannedLine) -> NotCredited:
    return NotCredited(
        first_day=line.row.first_day,
        charge_code=line.row.charge_code,
        amount_minor=line.taken.amount_minor,
        why=_("a discount took all of it off, so that there is nothing to give back"),
    )


def _lines_of(found: Sequence[Adjustment]) -> Mapping[tuple[int, str], list[InvoiceLine]]:
    """Return the lines that billed the differing charges, by period and charge, newest first. One query."""
    lines: dict[tuple[int, str], list[InvoiceLine]] = {}
    of_periods = InvoiceLine.objects.filter(
        billing_period__in={each.period.pk for each in found}, invoice__status__in=_FINAL, amount_minor__gt=0
    )
    for line in of_periods.order_by("-invoice__finalized_at", "-invoice_id", "-position"):
        lines.setdefault((line.billing_period_id or 0, line.charge_code), []).append(line)
    return lines


@dataclass(slots=True)
class _Book:
    """The lines that can be taken back, and what of them is taken so far."""

    lines: Mapping[tuple[int, str], list[InvoiceLine]]
    _known: dict[int, Creditable]
    taken: dict[int, list[PlannedLine]] = field(default_factory=dict)
    _bases: dict[tuple[int, TaxKey], int] = field(default_factory=dict)

    def of(self, invoice_id: int) -> Creditable:
        """Return what is left of an invoice before this correction. Five queries the first time."""
        if invoice_id not in self._known:
            invoice = Invoice.objects.select_related("customer", "billing_entity").get(pk=invoice_id)
            self._known[invoice_id] = creditable(invoice)
        return self._known[invoice_id]

    def take_back(self, difference: Adjustment) -> NotCredited | None:
        """Take a difference back line by line; return what could not be, None if all could."""
        line = difference.line
        missing, quantity, exact_amount = -line.amount_minor, line.quantity.copy_negate(), line.exact_amount.copy_negate()
        for left, invoice_id, taken in self._takes(difference, missing):
            missing -= taken.amount_minor
            if missing:  # of the last line what remains is taken, so that the sums are met
                part, exact_part = billed_less(left, taken)
            else:
                part, exact_part = quantity, exact_amount
            with exact():
                quantity, exact_amount = quantity - part, exact_amount - exact_part
            planned = corrected_line(left, taken, quantity=part, exact_amount=exact_part)
            self.taken.setdefault(invoice_id, []).append(planned)
        if not missing:
            return None
        return NotCredited(
            first_day=difference.period.first_day,
            charge_code=line.charge_code,
            amount_minor=missing,
            why=self._why(difference, missing),
        )

    def _takes(self, difference: Adjustment, missing: int) -> Iterator[tuple[LineLeft, int, Taken]]:
        for row in self.lines.get((difference.period.pk, difference.line.charge_code), []):
            if not missing:
                return
            of = self.of(row.invoice_id)
            left = of.at(row.position)
            if left.line is None or not left.left.amount_minor:
                continue
            key = row.invoice_id, left.tax_key
            room = self._bases.setdefault(key, of.bases_left[left.tax_key])
            taken = left.line.take_amount(min(left.left.amount_minor, missing))
            if taken.net_minor > room:  # other lines of the invoice take something off
                if room <= 0:
                    continue
                taken = left.line.take_net(room)
                taken = Taken(min(taken.amount_minor, missing), taken.discount_minor)
            self._bases[key] = room - taken.net_minor
            missing -= taken.amount_minor
            yield left, row.invoice_id, taken

    def _why(self, difference: Adjustment, missing: int) -> str:
        currency = difference.period.plan_version.currency
        if not self.lines.get((difference.period.pk, difference.line.charge_code)):
            return _("no final invoice has a line that billed it")
        values = {"missing": amount_words(missing, currency), "whole": amount_words(-difference.line.amount_minor, currency)}
        return _("%(missing)s of %(whole)s are more than is left of the lines that billed it, after other credit notes") % values
