from decimal import Decimal
from typing import Any

import pytest
from django.utils.translation import override

from billing.delivery.rendering.taxes import column_word, document_words, tax_notes, tax_rows
from billing.invoicing.snapshot import TaxTotal
from tests.billing.delivery.rendering.snapshots import snapshot


def tax(label: str = "VAT", *, rate: str = "23", base_minor: int = 10_000, amount_minor: int = 2_300, **facts: Any) -> TaxTotal:
    return TaxTotal(label=label, rate=Decimal(rate), base_minor=base_minor, amount_minor=amount_minor, **facts)


@pytest.mark.parametrize(
    ("labels", "word"),
    [
        (["VAT"], "VAT"),
        (["VAT", "VAT"], "VAT"),
        (["GST"], "GST"),
        (["Sales tax"], "Sales tax"),
        (["消費税"], "消費税"),
        ([""], "Tax"),  # documents of version 1
        ([], "Tax"),
        (["GST", "PST"], "Tax"),
        (["A very long word for a tax"], "Tax"),  # does not fit the column
    ],
)
def test_the_column_is_headed_by_the_word_for_the_tax_where_there_is_one(labels: list[str], word: str) -> None:
    assert column_word([tax(label) for label in labels]) == word


def test_known_words_are_said_in_the_documents_language() -> None:
    with override("fr"):
        words = document_words([tax("VAT")])
        assert (str(words.word), str(words.total_without), str(words.identity) % {"id": "FR1"}) == (
            "TVA",
            "Total hors TVA",
            "N° TVA FR1",
        )
        assert document_words([tax("PST")]).total_without == "Total hors PST"


def test_each_category_and_rate_has_its_row() -> None:
    rows = tax_rows(snapshot(taxes=(tax(), tax(rate="0", category="AE", base_minor=500, amount_minor=0))))

    assert [(row.label, row.small, row.value) for row in rows] == [
        ("VAT 23%", "on €100.00", "€23.00"),
        ("VAT 0%", "on €5.00", "€0.00"),
    ]


def test_a_note_says_which_tax_it_is_about_where_there_are_several() -> None:
    charged = tax(rate="0", category="AE", note="Reverse charge")

    assert tax_notes(snapshot(taxes=(charged,))) == ["Reverse charge"]
    assert tax_notes(snapshot(taxes=(tax(), charged))) == ["VAT 0%: Reverse charge"]
