"""percentage: per cent of the amount of each event, and a fixed fee for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from billing.pricing.breakdown import Row
from billing.pricing.charge_models.model import ChargeModel, Words
from billing.pricing.members import Members
from squill.lib.decimals import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentage[N: (Decimal, Fraction)](ChargeModel[N]):
    """
    The quantity is money, moved by events (card payments, transfers).

    Events are taken in their order. The first `free_events` cost nothing and leave `free_amount` alone; then
    `free_amount` comes off the amounts of the next ones. An event that it covers whole costs nothing; of one that it
    covers in part the rest is charged, with the fixed fee. The fee of one charged event (rate and fixed fee together)
    is lifted to `per_transaction_min` and cut to `per_transaction_max`.
    """

    name = "percentage"
    prices_events = True
    rate: N  # per cent
    fixed_amount: N  # major units for each charged event
    free_events: int
    free_amount: N  # major units of the events' amounts
    per_transaction_min: N | None  # major units, inclusive
    per_transaction_max: N | None  # major units, inclusive; not below the minimum

    @staticmethod
    def read(members: Members) -> "Percentage[Decimal]":
        model = Percentage(
            rate=members.percent("rate"),
            fixed_amount=members.optional_number("fixed_amount") or Decimal(0),
            free_events=members.count("free_events"),
            free_amount=members.optional_number("free_amount") or Decimal(0),
            per_transaction_min=members.optional_number("per_transaction_min"),
            per_transaction_max=members.optional_number("per_transaction_max"),
        )
        least, most = model.per_transaction_min, model.per_transaction_max
        if least is not None and most is not None and least > most:
            raise members.fail("per_transaction_max", f"must be at least per_transaction_min, {least}")
        return model

    def write(self: "Percentage[Decimal]") -> dict[str, object]:
        written: dict[str, object] = {"rate": plain(self.rate)}
        if self.fixed_amount:
            written["fixed_amount"] = plain(self.fixed_amount)
        if self.free_events:
            written["free_events"] = str(self.free_events)
        if self.free_amount:
            written["free_amount"] = plain(self.free_amount)
        if self.per_transaction_min is not None:
            written["per_transaction_min"] = plain(self.per_transaction_min)
        if self.per_transaction_max is not None:
            written["per_transaction_max"] = plain(self.per_transaction_max)
        return written

    @property
    def needs_events(self) -> bool:
        bounded = self.per_transaction_min is not None or self.per_transaction_max is not None
        return bool(self.fixed_amount or self.free_events or bounded)

    def rows(self, quantity: N) -> list[Row[N]]:
        """Price a sum of amounts; only where the charge does not need the events."""
        return self.event_rows([quantity], quantity - quantity)

    def event_rows(self, amounts: Sequence[N], zero: N) -> list[Row[N]]:
        free_events = amounts[: self.free_events]
        charged, free_amount = take_off(amounts[self.free_events :], self.free_amount)
        count = type(zero)(len(charged))
        total = sum(charged, zero)
        rows: list[Row[N]] = []
        if free_events:
            rows.append(Row("free_events", zero, quantity=type(zero)(len(free_events))))
        if free_amount:
            rows.append(Row("free_amount", zero, quantity=free_amount))
        rows.append(Row("rate", total * self.rate / 100, quantity=total, rate=self.rate))
        if self.fixed_amount:
            rows.append(Row("fixed_amount", count * self.fixed_amount, quantity=count, unit_amount=self.fixed_amount))
        rows.extend(self._bounds(charged, zero))
        return rows

    def _bounds(self, charged: Sequence[N], zero: N) -> list[Row[N]]:
        """Return what the bounds on single fees add and take off in all, and for how many events."""
        if self.per_transaction_min is None and self.per_transaction_max is None:
            return []
        fees = [amount * self.rate / 100 + self.fixed_amount for amount in charged]
        rows: list[Row[N]] = []
        for step, bound, sign in (
            ("per_transaction_min", self.per_transaction_min, 1),
            ("per_transaction_max", self.per_transaction_max, -1),
        ):
            changes = [bound - fee for fee in fees if (bound - fee) * sign > 0] if bound is not None else []
            if changes:
                rows.append(Row(step, sum(changes, zero), quantity=type(zero)(len(changes)), unit_amount=bound))
        return rows

    def words(self: "Percentage[Decimal]", money: Words, number: Words) -> list[str]:
        fixed = f" + {money(self.fixed_amount)} for each event" if self.fixed_amount else ""
        said = [f"{number(self.rate)} % of the amount{fixed}"]
        if self.free_events:
            said.append(f"first {number(Decimal(self.free_events))} events free")
        if self.free_amount:
            said.append(f"first {money(self.free_amount)} of the amounts free")
        if self.per_transaction_min is not None:
            said.append(f"at least {money(self.per_transaction_min)} for each event")
        if self.per_transaction_max is not None:
            said.append(f"at most {money(self.per_transaction_max)} for each event")
        return said


def take_off[N: (Decimal, Fraction)](amounts: Sequence[N], free: N) -> tuple[list[N], N]:
    """
    Take `free` off the amounts in their order.

    Return what is left of them, without those that were covered whole, and how much of `free` was used.
    """
    if not free:
        return list(amounts), free
    left = free
    remaining = []
    for amount in amounts:
        if left and amount <= left:
            left -= amount
        else:
            remaining.append(amount - left)
            left -= left
    return remaining, free - left
