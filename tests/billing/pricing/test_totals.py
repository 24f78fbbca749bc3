from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.pricing.commitments import Commitment
from billing.pricing.discounts import Discount
from billing.pricing.tax import TaxAmount
from billing.pricing.totals import TotalLine, total_invoice
from tests.billing.pricing.reference_invoice import Line, Minimum, Off, reference_invoice

D20, D10 = Decimal(20), Decimal(10)
LINES = (TotalLine("base", 10000, (D20,)), TotalLine("api", 5000, (D10,)))


class TestOrder:
    """ADR-0005: lines, true-up, discounts, tax, credit notes, prepaid credits."""

    def test_worked_example_of_every_step(self) -> None:
        totals = total_invoice(
            currency="EUR",
            lines=LINES,
            commitments=[Commitment(id="minimum", amount_minor=20000, tax_rates=(D20,))],
            discounts=[Discount(percent=D10), Discount(amount_minor=3000)],
            credit_notes=[1000, 500],
            prepaid_credits=[100000],
        )
        # 100 + 50 = 150, trued up by 50 to 200
        assert [(added.id, added.amount_minor) for added in totals.true_ups] == [("minimum", 5000)]
        assert (totals.currency, totals.subtotal_minor) == ("EUR", 20000)
        # 10 % of 200 = 20 → 90, 45, 45; then 30 of the 180 that remain: 15, 7.50, 7.50
        assert totals.discounts_minor == (2000, 3000)
        assert [line.net_minor for line in totals.lines] == [7500, 3750, 3750]
        assert totals.net_minor == 15000
        # 37.50 x 10 % = 3.75; (75 + 37.50) x 20 % = 22.50
        assert totals.taxes == (TaxAmount(D10, 3750, 375), TaxAmount(D20, 11250, 2250))
        assert totals.total_minor == 17625
        # 10 + 5 of credit notes, the rest from the prepaid credit
        assert totals.credit_notes_used == (1000, 500)
        assert totals.prepaid_credits_used == (16125,)
        assert totals.due_minor == 0

    def test_credit_notes_are_used_in_order_and_only_as_far_as_needed(self) -> None:
        totals = total_invoice(currency="EUR", lines=[TotalLine("a", 1000)], credit_notes=[700, 700, 700], prepaid_credits=[5])
        assert totals.credit_notes_used == (700, 300, 0)
        assert totals.prepaid_credits_used == (0,)

    def test_a_discount_may_apply_to_a_true_up(self) -> None:
        totals = total_invoice(
            currency="EUR",
            lines=[TotalLine("a", 1000)],
            commitments=[Commitment(id="minimum", amount_minor=3000)],
            discounts=[Discount(percent=Decimal(50), applies_to=frozenset({"minimum"}))],
        )
        # 10 + (20 less half)
        assert totals.net_minor == 2000

    def test_a_discount_on_a_commitment_that_is_reached_takes_nothing(self) -> None:
        totals = total_invoice(
            currency="EUR",
            lines=[TotalLine("a", 1000)],
            commitments=[Commitment(id="minimum", amount_minor=500)],
            discounts=[Discount(amount_minor=5, applies_to=frozenset({"minimum"}))],
        )
        assert (totals.discount_minor, len(totals.lines), totals.true_ups[0].amount_minor) == (0, 1, 0)


RATES = st.frozensets(st.sampled_from([Decimal(0), Decimal("5.5"), D10, D20]), max_size=3)
NAMES = ["a", "b", "c", "d", "m", "n"]  # four lines, then commitments


def named(names: list[str]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(names), min_size=1)


class TestAgainstTheReference:
    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(-500, 3000), RATES), min_size=4, max_size=4),
        st.lists(st.tuples(st.integers(0, 9000), st.fractions(0, 1, max_denominator=31), named(NAMES[:4]), RATES), max_size=2),
        st.lists(
            st.tuples(st.integers(0, 2000), st.none(), named(NAMES[:4]))
            | st.tuples(st.none(), st.decimals(0, 100, places=2), named(NAMES[:4])),
            max_size=3,
        ),
        st.lists(st.integers(0, 2000), max_size=3),
        st.lists(st.integers(0, 2000), max_size=2),
    )
    def test_every_invoice_is_totalled_as_the_rules_say(
        self,
        drawn_lines: list[tuple[int, frozenset[Decimal]]],
        drawn_minimums: list[tuple[int, Fraction, frozenset[str] | None, frozenset[Decimal]]],
        drawn_discounts: list[tuple[int | None, Decimal | None, frozenset[str] | None]],
        credit_notes: list[int],
        prepaid_credits: list[int],
    ) -> None:
        lines = [Line(name, *drawn) for name, drawn in zip(NAMES, drawn_lines, strict=False)]
        minimums = [Minimum(name, *drawn) for name, drawn in zip(NAMES[4:], drawn_minimums, strict=False)]
        discounts = [Off(*drawn) for drawn in drawn_discounts]
        totals = total_invoice(
            currency="EUR",
            lines=[TotalLine(line.name, line.amount, tuple(line.rates)) for line in lines],
            commitments=[
                Commitment(id=one.name, amount_minor=one.amount, factor=one.factor, applies_to=one.on, tax_rates=tuple(one.rates))
                for one in minimums
            ],
            discounts=[Discount(amount_minor=off.amount, percent=off.percent, applies_to=off.on) for off in discounts],
            credit_notes=credit_notes,
            prepaid_credits=prepaid_credits,
        )
        expected = reference_invoice(lines, minimums, discounts, [*credit_notes, *prepaid_credits])
        assert {added.id: added.amount_minor for added in totals.true_ups} == expected.true_ups
        assert {line.id: line.net_minor for line in totals.lines} == expected.nets
        assert list(totals.discounts_minor) == expected.discounts
        assert [(tax.rate, tax.base_minor, tax.amount_minor) for tax in totals.taxes] == expected.taxes
        assert totals.total_minor == expected.total
        assert [*totals.credit_notes_used, *totals.prepaid_credits_used] == expected.used
        assert totals.due_minor == expected.due


class TestNegativeLines:
    def test_an_adjustment_lowers_the_base_of_its_rate(self) -> None:
        totals = total_invoice(currency="EUR", lines=[TotalLine("a", 1000, (D20,)), TotalLine("late", -300, (D20,))])
        assert (totals.net_minor, totals.tax_minor, totals.due_minor) == (700, 140, 840)

    def test_a_negative_total_uses_no_credits(self) -> None:
        totals = total_invoice(currency="EUR", lines=[TotalLine("late", -300, (D20,))], credit_notes=[50], prepaid_credits=[50])
        assert totals.total_minor == totals.due_minor == -360
        assert totals.credit_notes_used == totals.prepaid_credits_used == (0,)


class TestInvariant:
    @pytest.mark.parametrize(
        ("field", "message"),
        [
            ("subtotal_minor", "the subtotal does not add up: 15001 is stated, the parts give 15000"),
            ("discount_minor", "the discount does not add up"),
            ("net_minor", "the net amount does not add up"),
            ("tax_minor", "the tax does not add up"),
            ("total_minor", "the total does not add up"),
            ("due_minor", "the amount due does not add up"),
        ],
    )
    def test_totals_that_do_not_add_up_cannot_be_made(self, field: str, message: str) -> None:
        totals = total_invoice(currency="EUR", lines=LINES, discounts=[Discount(percent=D10)], credit_notes=[10])
        with pytest.raises(ValueError, match=message):
            replace(totals, **{field: getattr(totals, field) + 1})

    def test_discounts_that_lines_do_not_carry_cannot_be_made(self) -> None:
        totals = total_invoice(currency="EUR", lines=LINES)
        with pytest.raises(ValueError, match="the discount of the lines does not add up"):
            replace(totals, discount_minor=5, discounts_minor=(5,))

    @given(
        st.lists(st.tuples(st.integers(-5000, 10**7), st.sets(st.sampled_from([D10, D20]))), max_size=6),
        st.lists(
            st.one_of(
                st.builds(Discount, percent=st.decimals(0, 100, places=2)),
                st.builds(Discount, amount_minor=st.integers(0, 10**6)),
            ),
            max_size=3,
        ),
        st.lists(st.integers(0, 10**6), max_size=2),
        st.fractions(0, 1, max_denominator=31),
    )
    def test_every_invoice_adds_up(
        self, drawn: list[tuple[int, set[Decimal]]], discounts: list[Discount], credit_notes: list[int], factor: Fraction
    ) -> None:
        lines = [TotalLine(str(index), amount, tuple(rates)) for index, (amount, rates) in enumerate(drawn)]
        totals = total_invoice(
            currency="EUR",
            lines=lines,
            commitments=[Commitment(id="minimum", amount_minor=10**6, factor=factor)],
            discounts=discounts,
            credit_notes=credit_notes,
        )
        nets = sum(line.net_minor for line in totals.lines)
        used = sum(totals.credit_notes_used) + sum(totals.prepaid_credits_used)
        assert nets + sum(tax.amount_minor for tax in totals.taxes) - used == totals.due_minor
        assert 0 <= totals.discount_minor
        assert totals.discount_minor <= max(totals.subtotal_minor, 0)
        assert totals.total_minor <= 0 or totals.due_minor >= 0

    @given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5), st.lists(st.decimals(0, 100, places=2), max_size=3))
    def test_without_credits_in_them_no_line_is_discounted_below_zero(self, amounts: list[int], percents: list[Decimal]) -> None:
        lines = [TotalLine(str(index), amount) for index, amount in enumerate(amounts)]
        totals = total_invoice(currency="EUR", lines=lines, discounts=[Discount(percent=percent) for percent in percents])
        assert all(0 <= line.net_minor <= line.amount_minor for line in totals.lines)


class TestRefusals:
    def test_an_unknown_currency(self) -> None:
        with pytest.raises(ValueError, match="unknown currency 'EURO'"):
            total_invoice(currency="EURO", lines=LINES)

    def test_an_id_twice(self) -> None:
        with pytest.raises(ValueError, match=r"^every line and commitment needs an id of its own$"):
            total_invoice(currency="EUR", lines=LINES, commitments=[Commitment(id="api", amount_minor=1)])
        with pytest.raises(ValueError, match="needs an id of its own"):
            total_invoice(currency="EUR", lines=[LINES[0], LINES[0]])

    def test_a_discount_or_commitment_on_a_line_that_is_not_there(self) -> None:
        nowhere = frozenset({"seats"})
        with pytest.raises(ValueError, match="names 'seats', which is not on the invoice"):
            total_invoice(currency="EUR", lines=LINES, discounts=[Discount(amount_minor=1, applies_to=nowhere)])
        with pytest.raises(ValueError, match="names 'seats', which is not on the invoice"):
            total_invoice(currency="EUR", lines=LINES, commitments=[Commitment(id="m", amount_minor=1, applies_to=nowhere)])

    def test_a_tax_rate_twice_on_one_line(self) -> None:
        with pytest.raises(ValueError, match="line 'a' has a tax rate twice"):
            total_invoice(currency="EUR", lines=[TotalLine("a", 1, (D20, Decimal("20.0")))])

    def test_a_negative_credit(self) -> None:
        with pytest.raises(ValueError, match="a credit must be zero or more, got -1"):
            total_invoice(currency="EUR", lines=LINES, prepaid_credits=[-1])
