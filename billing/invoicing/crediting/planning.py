"""What is left to credit of an invoice, and what a credit note would say; the same for a preview and a document (ADR 0025)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from billing.invoicing.crediting.settling import UnableToCredit, Wish, amount_words, settle
from billing.invoicing.snapshot import Settlement
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceLine, InvoiceTax
from billing.pricing.money import exact, from_minor, round_to_minor
from billing.pricing.taking_back import NOTHING, CreditableLine, Taken, tax_taken_back
from squill.lib.currency import exponent

_LONGEST_DETAIL: Final = 500  # what the columns keep
_QUANTITY_PLACES: Final = 12
# The rate in percent and the category of a tax, which lines share.
TaxKey = tuple[Decimal, str]


class LineAsked(NamedTuple):
    """What is to be credited of a line, by its position: net of discounts, before tax, in minor units; None: all that is left."""

    position: int
    net_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLeft:
    """A line of an invoice and what credit notes left of it. `line` is None where the line takes something off itself."""

    row: InvoiceLine
    line: CreditableLine | None
    # What corrections counted as billed less.
    corrected_quantity: Decimal
    corrected_exact: Decimal

    @property
    def left(self) -> Taken:
        """What can still be credited of it."""
        return self.line.left if self.line else NOTHING

    @property
    def tax_key(self) -> TaxKey:
        """The tax that goes back with it."""
        return self.row.tax_rate_pct, self.row.tax_category


@dataclass(frozen=True, slots=True, kw_only=True)
class Creditable:
    """
    An invoice as credit notes have left it, in minor units. `bases_left` is what is left to credit at each tax, `bases_taken`
    what went back of it; `refunded` is what earlier credit notes pay back.
    """

    invoice: Invoice
    lines: tuple[LineLeft, ...]
    taxes: tuple[InvoiceTax, ...]
    bases_left: Mapping[TaxKey, int]
    bases_taken: Mapping[TaxKey, int]
    total_left_minor: int
    refunded_minor: int

    def at(self, position: int) -> LineLeft:
        """
        Return a line by its position.

        :raises UnableToCredit: line_unknown
        """
        found = next((line for line in self.lines if line.row.position == position), None)
        if found is None:
            raise UnableToCredit(
                _("the invoice has no line %(position)d") % {"position": position}, code="line_unknown", position=position
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLine:
    """What is credited of a line. A unit price is said where the whole line goes back, or an amount of it."""

    row: InvoiceLine
    taken: Taken
    quantity: Decimal
    exact_amount: Decimal
    unit_amount: Decimal | None
    in_units: bool  # whether the quantity is in the line's unit; else it is one amount
    detail: str


class PlannedTax(NamedTuple):
    """The tax that goes back at one category and rate."""

    row: InvoiceTax
    base_minor: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCreditNote:
    """What a credit note says, in minor units: it adds up by construction."""

    invoice: Invoice
    reason: CreditNote.Reason
    lines: tuple[PlannedLine, ...]
    taxes: tuple[PlannedTax, ...]
    settlement: Settlement

    @property
    def subtotal_minor(self) -> int:
        """Its lines before discounts."""
        return sum(line.taken.amount_minor for line in self.lines)

    @property
    def discount_minor(self) -> int:
        """The discounts that go back with them."""
        return sum(line.taken.discount_minor for line in self.lines)

    @property
    def tax_minor(self) -> int:
        """The tax that goes back."""
        return sum(tax.amount_minor for tax in self.taxes)

    @property
    def total_minor(self) -> int:
        """What the customer is credited."""
        return self.subtotal_minor - self.discount_minor + self.tax_minor


def creditable(invoice: Invoice, *, before: CreditNote | None = None) -> Creditable:
    """
    Return what is left to credit of an invoice; `before` leaves out that credit note and all after it. Four queries.

    :raises UnableToCredit: draft, void, or nothing_billed (an invoice of zero)
    """
    _refuse_state(invoice)
    earlier = CreditNote.objects.filter(invoice=invoice)
    if before is not None:
        earlier = earlier.filter(pk__lt=before.pk)
    taken = _taken_of_lines(earlier)
    lines = tuple(_line_left(row, taken.get(row.pk, _NOTHING_TAKEN)) for row in invoice.lines.order_by("position"))
    left: dict[TaxKey, int] = {}
    gone: dict[TaxKey, int] = {}
    for line in lines:
        back = line.line.taken.net_minor if line.line else 0
        left[line.tax_key] = left.get(line.tax_key, 0) + line.row.net_minor - back
        gone[line.tax_key] = gone.get(line.tax_key, 0) + back
    sums = earlier.aggregate(total=Sum("total_minor", default=0), refunded=Sum("to_refund_minor", default=0))
    return Creditable(
        invoice=invoice,
        lines=lines,
        taxes=tuple(invoice.taxes.order_by("rate_pct", "category")),
        bases_left=left,
        bases_taken=gone,
        total_left_minor=invoice.total_minor - int(sums["total"]),
        refunded_minor=int(sums["refunded"]),
    )


def plan_lines(of: Creditable, asked: Sequence[LineAsked] | None, reason: CreditNote.Reason) -> tuple[PlannedLine, ...]:
    """
    Work out what goes back of which line; None asks for all that is left of the invoice.

    Where lines of the invoice take something off, what they take is not credited again: the lines before come first.

    :raises UnableToCredit: nothing_left, line_unknown, line_twice, line_takes_off, amount_not_positive, too_much, or
        correction_in_part
    """
    if asked is None:
        return tuple(_all_lines(of, reason))
    if not asked:
        raise UnableToCredit(_("name a line at least, or credit the whole invoice"), code="nothing_asked")
    positions = [line.position for line in asked]
    for position in positions:
        if positions.count(position) > 1:
            message = _("line %(position)d is named twice") % {"position": position}
            raise UnableToCredit(message, code="line_twice", position=position)
    return tuple(_line_asked(of, line, reason) for line in sorted(asked))


def plan_credit_note(
    of: Creditable, lines: Sequence[PlannedLine], reason: CreditNote.Reason, settlement: Wish
) -> PlannedCreditNote:
    """
    Add planned lines up, take the tax back, and settle the total. One query.

    :raises UnableToCredit: nothing_left, too_much, or as settle does
    """
    bases: dict[TaxKey, int] = {}
    for line in lines:
        key = line.row.tax_rate_pct, line.row.tax_category
        bases[key] = bases.get(key, 0) + line.taken.net_minor
    for key, base in bases.items():
        if base > max(of.bases_left[key], 0):
            left = amount_words(max(of.bases_left[key], 0), of.invoice.currency)
            message = _("%(left)s are left of the lines with %(rate)s %% tax, since other lines take something off")
            raise UnableToCredit(message % {"left": left, "rate": f"{key[0].normalize():f}"}, code="too_much")
    taxes = [
        PlannedTax(row, base, tax_taken_back(row.rate_pct, base_before_minor=of.bases_taken[key], base_minor=base))
        for row in of.taxes
        if (base := bases.get(key := (row.rate_pct, row.category), 0))
    ]
    total = sum(line.taken.net_minor for line in lines) + sum(tax.amount_minor for tax in taxes)
    if total <= 0:
        raise UnableToCredit(_("nothing is left to credit of this invoice"), code="nothing_left")
    if total > of.total_left_minor:
        left = amount_words(of.total_left_minor, of.invoice.currency)
        raise UnableToCredit(_("%(left)s are left of the invoice: name lines and amounts") % {"left": left}, code="too_much")
    return PlannedCreditNote(
        invoice=of.invoice,
        reason=reason,
        lines=tuple(lines),
        taxes=tuple(taxes),
        settlement=settle(of.invoice, total, wish=settlement, refunded_minor=of.refunded_minor),
    )


def whole_line(line: LineLeft, reason: CreditNote.Reason) -> PlannedLine:
    """Plan all that is left of a line: as it was billed where nothing went back yet."""
    row = line.row
    is_untouched = line.left.amount_minor == row.amount_minor
    if reason == CreditNote.Reason.CORRECTION:
        quantity, exact_amount = billed_less(line, line.left)
        return _planned(line, line.left, quantity, exact_amount, row.unit_amount if is_untouched else None, in_units=True)
    if is_untouched:
        return _planned(line, line.left, row.quantity, row.exact_amount, row.unit_amount, in_units=True)
    return _amount_of(line, line.left)


def billed_less(line: LineLeft, taken: Taken) -> tuple[Decimal, Decimal]:
    """
    Return the quantity and the exact amount that count as billed less with what is taken: all that still counts as billed, or,
    where other credit notes took a share, the rounded amount and a quantity in proportion.
    """
    row, decimals = line.row, exponent(line.row.invoice.currency)
    with exact():
        quantity, exact_amount = row.quantity - line.corrected_quantity, row.exact_amount - line.corrected_exact
    billed_minor = round_to_minor(exact_amount, exponent=decimals)
    if taken.amount_minor == billed_minor:
        return quantity, exact_amount
    share = Fraction(taken.amount_minor, billed_minor) if billed_minor else Fraction(0)
    part = round_to_minor(Fraction(quantity) * share, exponent=_QUANTITY_PLACES)
    return from_minor(part, exponent=_QUANTITY_PLACES), from_minor(taken.amount_minor, exponent=decimals)


def corrected_line(line: LineLeft, taken: Taken, *, quantity: Decimal, exact_amount: Decimal) -> PlannedLine:
    """Plan a part of a line by what rating says was billed too much."""
    return _planned(line, taken, quantity, exact_amount, None, in_units=True)


def _refuse_state(invoice: Invoice) -> None:
    if invoice.status == Invoice.Status.DRAFT:
        raise UnableToCredit(_("a draft is worked out anew until it is finalised: there is nothing to credit yet"), code="draft")
    if invoice.status == Invoice.Status.VOID:
        raise UnableToCredit(_("the invoice is void: there is nothing to credit"), code="void")
    if invoice.total_minor == 0:
        raise UnableToCredit(_("the invoice is of zero: there is nothing to credit"), code="nothing_billed")


class _TakenOfLine(NamedTuple):
    taken: Taken
    corrected_quantity: Decimal
    corrected_exact: Decimal


_NOTHING_TAKEN = _TakenOfLine(NOTHING, Decimal(0), Decimal(0))


def _taken_of_lines(notes: Any) -> dict[int, _TakenOfLine]:
    corrections = Q(credit_note__reason=CreditNote.Reason.CORRECTION)
    sums = CreditNoteLine.objects.filter(credit_note__in=notes).values("invoice_line_id")
    found = sums.annotate(
        amount=Sum("amount_minor"),
        discount=Sum("discount_minor"),
        billed_less=Sum("quantity", filter=corrections, default=Decimal(0)),
        exact_less=Sum("exact_amount", filter=corrections, default=Decimal(0)),
    )
    return {
        row["invoice_line_id"]: _TakenOfLine(
            Taken(int(row["amount"]), int(row["discount"])), row["billed_less"], row["exact_less"]
        )
        for row in found.order_by()
    }


def _line_left(row: InvoiceLine, before: _TakenOfLine) -> LineLeft:
    line = None
    if row.amount_minor > 0 and 0 <= row.discount_minor <= row.amount_minor:
        line = CreditableLine(amount_minor=row.amount_minor, discount_minor=row.discount_minor, taken=before.taken)
    return LineLeft(row=row, line=line, corrected_quantity=before.corrected_quantity, corrected_exact=before.corrected_exact)


def _all_lines(of: Creditable, reason: CreditNote.Reason) -> Iterable[PlannedLine]:
    bases = dict(of.bases_left)
    for line in of.lines:
        if line.line is None or not line.left.amount_minor:
            continue
        room = bases[line.tax_key]
        if line.left.net_minor <= room:
            bases[line.tax_key] -= line.left.net_minor
            yield whole_line(line, reason)
        elif room > 0:
            bases[line.tax_key] = 0
            yield _part_of(line, room, reason)


def _line_asked(of: Creditable, asked: LineAsked, reason: CreditNote.Reason) -> PlannedLine:
    line = of.at(asked.position)
    if line.line is None:
        message = _("line %(position)d takes something off already: it cannot be credited")
        raise UnableToCredit(message % {"position": asked.position}, code="line_takes_off", position=asked.position)
    if asked.net_minor is not None and asked.net_minor <= 0:
        message = _("write an amount above zero for line %(position)d") % {"position": asked.position}
        raise UnableToCredit(message, code="amount_not_positive", position=asked.position)
    if not line.left.amount_minor:
        message = _("nothing is left to credit of line %(position)d") % {"position": asked.position}
        raise UnableToCredit(message, code="too_much", position=asked.position)
    left = line.left.net_minor
    if asked.net_minor is None or asked.net_minor == left:
        return whole_line(line, reason)
    if asked.net_minor > left:
        values = {"left": amount_words(left, of.invoice.currency), "position": asked.position}
        message = _("%(left)s are left of line %(position)d") % values
        raise UnableToCredit(message, code="too_much", position=asked.position)
    return _part_of(line, asked.net_minor, reason)


def _part_of(line: LineLeft, net_minor: int, reason: CreditNote.Reason) -> PlannedLine:
    if line.line is None:
        raise ValueError("a line that takes something off cannot be credited")
    if reason == CreditNote.Reason.CORRECTION:
        message = _(
            "a correction takes whole lines back, since what counts as billed less must have a quantity: have the differences of "
            "the subscription credited, or choose another reason for an amount"
        )
        raise UnableToCredit(message, code="correction_in_part", position=line.row.position)
    return _amount_of(line, line.line.take_net(net_minor))


def _amount_of(line: LineLeft, taken: Taken) -> PlannedLine:
    """An amount of a line is one of it: no quantity of usage stands behind it."""
    amount = from_minor(taken.amount_minor, exponent=exponent(line.row.invoice.currency))
    return _planned(line, taken, Decimal(1), amount, amount, in_units=False)


def _planned(
    line: LineLeft, taken: Taken, quantity: Decimal, exact_amount: Decimal, unit_amount: Decimal | None, *, in_units: bool
) -> PlannedLine:
    row = line.row
    detail = row.detail
    if taken.amount_minor != row.amount_minor:
        with override(row.invoice.customer.locale):
            part = pgettext("invoice", "of %(amount)s that were billed") % {
                "amount": amount_words(row.amount_minor, row.invoice.currency)
            }
        detail = f"{detail} · {part}" if detail else part
    return PlannedLine(
        row=row,
        taken=taken,
        quantity=quantity,
        exact_amount=exact_amount,
        unit_amount=unit_amount,
        in_units=in_units,
        detail=detail if len(detail) <= _LONGEST_DETAIL else detail[: _LONGEST_DETAIL - 1] + "…",
    )
