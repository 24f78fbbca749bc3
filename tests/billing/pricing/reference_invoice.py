"""
A second way of totalling an invoice, for tests only: with exact fractions, line by line, sharing no code.

It is written as docs/tariffs.md and ADR-0005 say it, not as billing.pricing computes it.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import NamedTuple

# Wide enough for any quotient to be told from a half, in the sizes that tests draw.
WIDE = Context(prec=400)


def nearest_whole(value: Fraction) -> int:
    """Round a half away from zero, by the decimal module rather than by integers."""
    return int(WIDE.divide(value.numerator, value.denominator).to_integral_value(ROUND_HALF_UP, WIDE))


def dealt(total: int, weights: Sequence[int]) -> list[int]:
    """
    Deal a total out unit by unit, each to whoever lacks most; of those who lack as much, to the earliest.

    Everybody begins with the whole units that are theirs in any case.
    """
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    hands = [share.numerator // share.denominator for share in exact]
    for _unit in range(total - sum(hands)):
        lacking = [share - hand for share, hand in zip(exact, hands, strict=True)]
        hands[lacking.index(max(lacking))] += 1
    return hands


class Line(NamedTuple):
    name: str
    amount: int
    rates: frozenset[Decimal]


class Minimum(NamedTuple):
    name: str
    amount: int
    factor: Fraction
    on: frozenset[str] | None
    rates: frozenset[Decimal]


class Off(NamedTuple):
    amount: int | None
    percent: Decimal | None
    on: frozenset[str] | None


def true_ups(lines: Sequence[Line], minimums: Sequence[Minimum]) -> dict[str, int]:
    added = {}
    for minimum in minimums:
        spent = sum(line.amount for line in lines if minimum.on is None or line.name in minimum.on)
        due = nearest_whole(Fraction(minimum.amount) * minimum.factor)
        added[minimum.name] = due - spent if due > spent else 0
    return added


def discounted(amounts: Mapping[str, int], discounts: Sequence[Off]) -> tuple[dict[str, int], list[int]]:
    """Return what is left of every line, and what each discount took."""
    left = dict(amounts)
    taken = []
    for off in discounts:
        names = [name for name in left if off.on is None or name in off.on]
        there = sum(left[name] for name in names)
        if off.percent is not None:
            wanted = nearest_whole(Fraction(there) * Fraction(off.percent) / 100)
        else:
            assert off.amount is not None
            wanted = off.amount
        took = min(wanted, there) if there > 0 else 0
        if took:
            for name, share in zip(names, dealt(took, [left[name] for name in names]), strict=True):
                left[name] -= share
        taken.append(took)
    return left, taken


class Invoice(NamedTuple):
    """Amounts in minor units."""

    true_ups: dict[str, int]
    nets: dict[str, int]
    discounts: list[int]
    taxes: list[tuple[Decimal, int, int]]
    total: int
    used: list[int]
    due: int


def reference_invoice(
    lines: Sequence[Line], minimums: Sequence[Minimum], discounts: Sequence[Off], credits_in_order: Sequence[int]
) -> Invoice:
    """Total an invoice by the rules. Credit notes come before prepaid credits, so one list of credits says both."""
    added = true_ups(lines, minimums)
    billed = [*lines, *(Line(one.name, added[one.name], one.rates) for one in minimums if added[one.name])]
    nets, taken = discounted({line.name: line.amount for line in billed}, discounts)
    taxes = []
    for rate in sorted({rate for line in billed for rate in line.rates}):
        base = sum(nets[line.name] for line in billed if rate in line.rates)
        taxes.append((rate, base, nearest_whole(Fraction(base) * Fraction(rate) / 100)))
    total = sum(nets.values()) + sum(tax for _rate, _base, tax in taxes)
    used, due = [], total
    for credit in credits_in_order:
        used.append(max(min(credit, due), 0))
        due -= used[-1]
    return Invoice(added, nets, taken, taxes, total, used, due)
