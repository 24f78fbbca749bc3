from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.delivery.rendering.lines import PrintedLine, PrintedStep, printed_groups
from billing.invoicing.snapshot import BreakdownStep
from tests.billing.delivery.rendering.snapshots import line, snapshot


def printed(**facts: Any) -> PrintedLine:
    [group] = printed_groups(snapshot(lines=(line("Calls", amount_minor=1_825, **facts),)))
    [only] = group.lines
    return only


def step(**facts: Any) -> PrintedStep:
    """Print the step beside another, so that it is not left out as saying nothing."""
    second = BreakdownStep(step="units", amount=Decimal(0))
    return printed(breakdown=(BreakdownStep(**facts), second)).steps[0]


def test_groups_come_in_order_and_empty_ones_are_left_out() -> None:
    lines = (
        line("Late", group="adjustment", position=1, amount_minor=1),
        line("Second", position=3, amount_minor=1),
        line("First", position=2, amount_minor=1),
    )

    groups = printed_groups(snapshot(lines=lines))

    assert [(group.heading, [one.name for one in group.lines]) for group in groups] == [
        ("Usage, 1 – 31 October 2026", ["First", "Second"]),
        ("Adjustments", ["Late"]),
    ]


def test_usage_of_several_spans_says_its_days_on_the_lines() -> None:
    september: dict[str, Any] = {"first_day": date(2026, 9, 16), "last_day": date(2026, 9, 30)}
    lines = (line("Now", amount_minor=1), line("Before", position=2, amount_minor=1, detail="Metered", **september))

    [group] = printed_groups(snapshot(lines=lines))

    assert group.heading == "Usage"
    # October is the invoice's own service period, which stands at its top.
    assert [one.detail for one in group.lines] == ["", "Metered · 16 – 30 September 2026"]


def test_units_at_one_price_need_no_breakdown() -> None:
    rows = (BreakdownStep(step="units", amount=Decimal("18.25375"), quantity=Decimal("214.75"), unit_amount=Decimal("0.085")),)

    result = printed(quantity=Decimal("214.75"), unit="GB", breakdown=rows)

    assert (result.quantity, result.unit_price, result.amount, result.steps) == ("214.75", "€0.085", "€18.25", ())


def test_a_flat_fee_is_its_own_unit_price() -> None:
    rows = (BreakdownStep(step="flat", amount=Decimal("18.25"), flat_amount=Decimal("18.25")),)

    assert (printed(breakdown=rows).unit_price, printed(breakdown=rows).steps) == ("€18.25", ())


def test_a_charge_that_was_not_used_has_no_price_and_no_breakdown() -> None:
    result = printed(quantity=Decimal(0), breakdown=(BreakdownStep(step="unused", amount=Decimal(0)),))

    assert (result.unit_price, result.steps) == ("", ())


def test_a_single_tier_with_an_end_is_shown() -> None:
    rows = (
        BreakdownStep(
            step="tier",
            amount=Decimal("18.25"),
            above=Decimal(0),
            up_to=Decimal(1_000),
            quantity=Decimal(365),
            unit_amount=Decimal("0.05"),
        ),
    )

    result = printed(quantity=Decimal(365), breakdown=rows)

    assert result.unit_price == ""
    assert result.steps == (PrintedStep(label="Up to 1,000", quantity="365", unit_price="€0.05", amount="€18.25"),)


def test_packages_are_shown_because_they_are_not_the_units_of_the_line() -> None:
    rows = (BreakdownStep(step="packages", amount=Decimal("18.25"), quantity=Decimal(5), unit_amount=Decimal("3.65")),)

    result = printed(quantity=Decimal(4_500), breakdown=rows)

    assert result.steps == (PrintedStep(label="Packages", quantity="5", unit_price="€3.65", amount="€18.25"),)


def test_a_tier_with_a_price_and_a_flat_amount_shows_both() -> None:
    result = step(
        step="tier",
        amount=Decimal("12.0005"),
        above=Decimal("10.5"),
        quantity=Decimal("20.005"),
        unit_amount=Decimal("0.1"),
        flat_amount=Decimal(10),
    )

    assert result == PrintedStep(label="Above 10.5 · flat €10.00", quantity="20.005", unit_price="€0.10", amount="€12.0005")


def test_a_stair_shows_its_flat_amount_as_the_price() -> None:
    result = step(
        step="tier",
        amount=Decimal(50),
        above=Decimal(100),
        up_to=Decimal(500),
        quantity=Decimal(200),
        flat_amount=Decimal(50),
    )

    assert result == PrintedStep(label="Above 100 up to 500", quantity="200", unit_price="€50.00", amount="€50.00")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (
            {"step": "rate", "rate": Decimal("2.9"), "quantity": Decimal(1_000), "amount": Decimal(29)},
            "Share of the amount 1,000 2.9% €29.00",
        ),
        ({"step": "free_units", "quantity": Decimal(100), "amount": Decimal(0)}, "Units included 100  €0.00"),
        ({"step": "percentage_discount", "rate": Decimal(10), "amount": Decimal("-1.5")}, "Discount  10% −€1.50"),
        ({"step": "minimum_amount", "flat_amount": Decimal(5), "amount": Decimal("0.25")}, "Raised to the minimum  €5.00 €0.25"),
        ({"step": "some_new_step", "amount": Decimal(1)}, "Some new step   €1.00"),
    ],
)
def test_other_steps_are_named(facts: dict[str, Any], expected: str) -> None:
    result = step(**facts)

    assert f"{result.label} {result.quantity} {result.unit_price} {result.amount}" == expected
