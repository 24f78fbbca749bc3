"""Whole invoices: lines → true-ups → discounts → tax → credit notes → prepaid credits (ADR-0005)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.pricing.commitments import Commitment, TrueUp, true_up
from billing.pricing.discounts import Discount, share_discount
from billing.pricing.money import check_exact, check_minor
from billing.pricing.tax import TaxAmount, tax_amounts
from squill.lib.currency import exponent


@dataclass(frozen=True, slots=True)
class TotalLine:
    """
    A line of an invoice before discounts. Adjustments of earlier periods may be negative.

    :raises TypeError: if a number is not exact
    """

    id: str
    amount_minor: int  # rounded once, by round_to_minor
    tax_rates: tuple[Decimal, ...] = ()  # per cent, no rate twice

    def __post_init__(self) -> None:
        check_minor(self.amount_minor)
        check_exact(*self.tax_rates)


@dataclass(frozen=True, slots=True)
class NetLine:
    """A line, or a true-up, and what all discounts together take off it."""

    id: str
    amount_minor: int
    discount_minor: int
    tax_rates: tuple[Decimal, ...]

    @property
    def net_minor(self) -> int:
        """What is left of the line, before tax."""
        return self.amount_minor - self.discount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """
    An invoice that adds up (I7): lines less discounts plus tax less credits is due, in minor units.

    :raises ValueError: if it does not
    """

    currency: str
    lines: tuple[NetLine, ...]  # the lines as given, then a line for every true-up above zero
    true_ups: tuple[TrueUp, ...]  # one for every commitment, in order
    subtotal_minor: int  # lines and true-ups, before discounts
    discounts_minor: tuple[int, ...]  # what each discount takes off, in order
    discount_minor: int
    net_minor: int
    taxes: tuple[TaxAmount, ...]  # in rising order of rate
    tax_minor: int
    total_minor: int  # may be negative, where adjustments outweigh the rest
    credit_notes_used: tuple[int, ...]  # of each credit note, in order
    prepaid_credits_used: tuple[int, ...]  # of each prepaid credit, in order
    due_minor: int

    def __post_init__(self) -> None:
        equations = {
            "the subtotal": (self.subtotal_minor, sum(line.amount_minor for line in self.lines)),
            "the discount": (self.discount_minor, sum(self.discounts_minor)),
            "the discount of the lines": (self.discount_minor, sum(line.discount_minor for line in self.lines)),
            "the net amount": (self.net_minor, self.subtotal_minor - self.discount_minor),
            "the tax": (self.tax_minor, sum(tax.amount_minor for tax in self.taxes)),
            "the total": (self.total_minor, self.net_minor + self.tax_minor),
            "the amount due": (
                self.due_minor,
                self.total_minor - sum(self.credit_notes_used) - sum(self.prepaid_credits_used),
            ),
        }
        for name, (stated, summed) in equations.items():
            if stated != summed:
                raise ValueError(f"{name} does not add up: {stated} is stated, the parts give {summed}")


def total_invoice(
    *,
    currency: str,
    lines: Sequence[TotalLine],
    discounts: Sequence[Discount] = (),
    commitments: Sequence[Commitment] = (),
    credit_notes: Sequence[int] = (),
    prepaid_credits: Sequence[int] = (),
) -> Totals:
    """
    Total an invoice in one currency.

    Every commitment looks at the lines as given, before discounts, and not at other true-ups. Discounts, credit notes
    and prepaid credits apply in the order given; credits (minor units, zero or more) only pay what is still due.

    :raises ValueError: if the currency is unknown, an id occurs twice, `applies_to` names none of them, or a credit is
        negative
    :raises TypeError: if a number is not exact
    """
    exponent(currency)
    check_minor(*credit_notes, *prepaid_credits)
    _check_ids(lines, discounts, commitments)
    amounts = {line.id: line.amount_minor for line in lines}
    true_ups = tuple(true_up(commitment, amounts) for commitment in commitments)
    billed = [*lines, *(TotalLine(added.id, added.amount_minor, added.tax_rates) for added in true_ups if added.amount_minor)]
    net_lines, discounts_minor = _discounted(billed, discounts)
    subtotal = sum(line.amount_minor for line in net_lines)
    taxes = tax_amounts((line.tax_rates, line.net_minor) for line in net_lines)
    net = subtotal - sum(discounts_minor)
    tax = sum(tax.amount_minor for tax in taxes)
    credit_notes_used = _use(credit_notes, net + tax)
    prepaid_credits_used = _use(prepaid_credits, net + tax - sum(credit_notes_used))
    return Totals(
        currency=currency,
        lines=net_lines,
        true_ups=true_ups,
        subtotal_minor=subtotal,
        discounts_minor=discounts_minor,
        discount_minor=sum(discounts_minor),
        net_minor=net,
        taxes=taxes,
        tax_minor=tax,
        total_minor=net + tax,
        credit_notes_used=credit_notes_used,
        prepaid_credits_used=prepaid_credits_used,
        due_minor=net + tax - sum(credit_notes_used) - sum(prepaid_credits_used),
    )


def _discounted(lines: Sequence[TotalLine], discounts: Sequence[Discount]) -> tuple[tuple[NetLine, ...], tuple[int, ...]]:
    """Apply discounts one after the other; return the lines with their shares, and the sum of each discount."""
    ids = [line.id for line in lines]
    remaining = [line.amount_minor for line in lines]
    taken = []
    for discount in discounts:
        shares = share_discount(discount, ids, remaining)
        remaining = [amount - share for amount, share in zip(remaining, shares, strict=True)]
        taken.append(sum(shares))
    net_lines = tuple(
        NetLine(line.id, line.amount_minor, line.amount_minor - left, line.tax_rates)
        for line, left in zip(lines, remaining, strict=True)
    )
    return net_lines, tuple(taken)


def _use(credits_minor: Iterable[int], due_minor: int) -> tuple[int, ...]:
    """Return how much of each credit is used up by what is due, in order."""
    used = []
    for credit in credits_minor:
        if credit < 0:
            raise ValueError(f"a credit must be zero or more, got {credit}")
        amount = min(credit, max(due_minor, 0))
        used.append(amount)
        due_minor -= amount
    return tuple(used)


def _check_ids(lines: Sequence[TotalLine], discounts: Sequence[Discount], commitments: Sequence[Commitment]) -> None:
    """Refuse ids that occur twice and `applies_to` that name nothing."""
    line_ids = {line.id for line in lines}
    ids = line_ids | {commitment.id for commitment in commitments}
    if len(ids) != len(lines) + len(commitments):
        raise ValueError("every line and commitment needs an id of its own")
    named = [(commitment.applies_to, line_ids) for commitment in commitments]
    named += [(discount.applies_to, ids) for discount in discounts]
    for applies_to, known in named:
        unknown = sorted((applies_to or frozenset()) - known)
        if unknown:
            raise ValueError(f"applies_to names {unknown[0]!r}, which is not on the invoice")
    for line in lines:
        if len(set(line.tax_rates)) != len(line.tax_rates):
            raise ValueError(f"line {line.id!r} has a tax rate twice")
