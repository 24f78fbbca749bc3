from decimal import Decimal
from typing import Any

import msgspec

from billing.delivery.rendering.colors import DEFAULT, palette
from billing.delivery.rendering.context import template_values
from billing.delivery.rendering.rows import Paragraph
from billing.invoicing.snapshot import Bank, TaxTotal, UsageChart
from tests.billing.delivery.rendering.snapshots import BUYER, FIRST, SELLER, credit_note, snapshot


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
    rows = values(discounts=(), discount_minor=0)["totals"]
    assert [row.label for row in rows] == ["Subtotal", "VAT 23%", "Total", "Prepaid credit: Annual prepayment", "Amount due"]


def test_a_seller_without_a_footer_is_named_at_the_foot() -> None:
    assert values(footer="")["legal"] == "Northlight Systems Ltd · VAT ID IE 3628739L · billing@northlight.example"


def test_the_running_head_is_cut_where_the_page_number_begins() -> None:
    long = values(seller=msgspec.structs.replace(SELLER, legal_name="N" * 300))

    assert long["running_name"] == "N" * 69 + "…"
    assert long["parties"][0].name == "N" * 300


def test_the_initial_is_left_out_where_the_fonts_lack_it() -> None:
    assert values()["initial"] == "N"
    assert values(seller=msgspec.structs.replace(SELLER, name="สวัสดี"))["initial"] == ""
    assert values(seller=msgspec.structs.replace(SELLER, name="<b>"))["initial"] == ""


def test_a_draft_has_no_instant_to_be_dated_by() -> None:
    assert values()["written_at"] == "2026-11-01T02:00:05Z"
    assert values(finalized_at=None, estimate=True)["written_at"] == ""


def test_notes_that_are_short_stand_beside_the_totals_and_long_ones_below() -> None:
    short = values(payment_terms="30 days.", notes=("Thanks.",))
    assert [note.text for note in short["notes"]] == ["30 days.", "Thanks."]
    assert short["long_notes"] == []

    long = values(payment_terms="30 days.", notes=("x" * 600,))
    assert long["notes"] == []
    assert [len(note.text) for note in long["long_notes"]] == [8, 600]


def test_a_sentence_is_set_in_its_own_direction() -> None:
    notes = values(payment_terms="السداد خلال 30 يومًا.", notes=("Within 30 days.",))["notes"]
    assert notes == [
        Paragraph(text="السداد خلال 30 يومًا.", direction="rtl"),
        Paragraph(text="Within 30 days.", direction="ltr"),
    ]


def test_words_that_the_law_asks_for_come_before_the_terms() -> None:
    charged = TaxTotal(rate=Decimal(0), category="AE", label="VAT", note="Reverse charge", base_minor=1, amount_minor=0)
    assert [note.text for note in values(taxes=(charged,), payment_terms="30 days.", notes=())["notes"]] == [
        "Reverse charge",
        "30 days.",
    ]


def test_only_an_invoice_that_is_owed_says_where_to_pay() -> None:
    assert values()["pay_url"] == "https://pay.northlight.example/NL-2026-000417"
    paid = values(paid_minor=180_462)
    assert (paid["pay_url"], paid["bank"], paid["bank_code"]) == ("", [], None)
    credit = template_values(credit_note(), palette=palette(DEFAULT), language="en", estimate=False)
    assert (credit["pay_url"], credit["bank"], credit["chart"]) == ("", [], None)
