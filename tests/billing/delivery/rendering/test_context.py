from decimal import Decimal
from typing import Any

import msgspec

from billing.delivery.rendering.colors import DEFAULT, palette
from billing.delivery.rendering.context import template_values
from billing.invoicing.snapshot import Bank, UsageChart
from tests.billing.delivery.rendering.snapshots import BUYER, FIRST, SELLER, snapshot


def values(*, estimate: bool = False, **facts: Any) -> dict[str, Any]:
    return template_values(snapshot(**facts), palette=palette(DEFAULT), language="en", estimate=estimate)


def test_facts_that_are_not_known_are_left_out() -> None:
    bare = values(purchase_order="", buyer=msgspec.structs.replace(BUYER, reference=""), bank=Bank())

    assert [fact.label for fact in bare["facts"]] == ["Issue date", "Service period"]
    assert bare["bank"] == []


def test_a_flat_or_missing_chart_is_not_drawn() -> None:
    flat = UsageChart(title="Calls", first_day=FIRST, values=(Decimal(5),) * 31)

    assert values(chart=None)["chart"] is None
    assert values(chart=flat)["chart"] is None
    assert values()["chart"]["last"] == "31 Oct"


def test_without_a_discount_the_subtotal_is_what_is_taxed() -> None:
    assert [row.label for row in values(discount_minor=0)["totals"]] == ["Subtotal", "Tax 23%", "Total", "Credits applied"]


def test_a_seller_without_a_footer_is_named_at_the_foot() -> None:
    assert values(footer="")["legal"] == "Northlight Systems Ltd · Tax ID IE 3628739L · billing@northlight.example"


def test_the_running_head_is_cut_where_the_page_number_begins() -> None:
    long = values(seller=msgspec.structs.replace(SELLER, legal_name="N" * 300))

    assert long["running_name"] == "N" * 69 + "…"
    assert long["parties"][0].name == "N" * 300


def test_the_initial_is_left_out_where_the_fonts_lack_it() -> None:
    assert values()["initial"] == "N"
    assert values(seller=msgspec.structs.replace(SELLER, name="株式会社"))["initial"] == ""
    assert values(seller=msgspec.structs.replace(SELLER, name="<b>"))["initial"] == ""


def test_a_draft_has_no_instant_to_be_dated_by() -> None:
    assert values()["written_at"] == "2026-11-01T02:00:05Z"
    assert values(finalized_at=None, estimate=True)["written_at"] == ""
