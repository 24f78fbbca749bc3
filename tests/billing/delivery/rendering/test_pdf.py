import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from billing.delivery.rendering.page import compose
from billing.delivery.rendering.pdf import render_pdf, renderer_version
from billing.invoicing.snapshot import BreakdownStep, InvoiceSnapshot, Party, TaxTotal
from tests.billing.delivery.rendering.reading import catalogue, embedded_fonts, open_pdf, page_texts, whole_text
from tests.billing.delivery.rendering.snapshots import BUYER, SELLER, line, many_lines, snapshot

CHECKOUT = Path(__file__).resolve().parents[4]

# What another process has to do: render some documents in the order of their names, and say what came of it.
RENDER_ELSEWHERE = """
import hashlib, json, sys
import django
django.setup()
from billing.delivery.rendering.pdf import render_pdf
from tests.billing.delivery.rendering.snapshots import document
names = sys.argv[1:]
digests = [hashlib.sha256(render_pdf(document(name))).hexdigest() for name in names]
assert "weasyprint" not in sys.modules, "the API's cold start would load Pango"
print(json.dumps(digests))
"""


@pytest.fixture(scope="module")
def invoice() -> bytes:
    return render_pdf(snapshot())


def test_the_first_thing_read_is_what_is_due_and_when(invoice: bytes) -> None:
    [page] = page_texts(invoice)

    assert re.search("Amount due €1,804.62 ?Due by 1 December 2026", page)
    assert page.index("€1,804.62") < page.index("Fenwick & Daly Ltd") < page.index("Scale plan")


def test_every_fact_of_the_snapshot_is_printed(invoice: bytes) -> None:
    text = whole_text(invoice)

    for fact in (
        "NL-2026-000417",
        "1 November 2026",
        "1 – 31 October 2026",
        "PO 4500-88213",
        "cus_8WQ2M",
        "Northlight Systems Ltd",
        "VAT ID IE 3628739L",
        "8 Patrick Street",
        "Ireland",
        "Scale plan",
        "Platform fee, billed in advance · 1 – 30 November 2026",
        "IE29 AIBK 9311 5212 3456 78",
        "AIBKIE2D",
        "Payment within 30 days of the issue date.",
        "Late payments bear statutory interest under Directive 2011/7/EU.",
        "Registered in Ireland No. 628739",
        "Page 1 of 1",
    ):
        assert fact in text


def test_lines_are_grouped_and_their_tiers_can_be_added_up_again(invoice: bytes) -> None:
    text = whole_text(invoice)

    assert text.index("Subscription") < text.index("Usage, 1 – 31 October 2026") < text.index("Adjustments")
    assert "Up to 1,000,000 1,000,000 €0.0004 €400.00" in text
    assert "Above 1,000,000 up to 3,000,000 2,000,000 €0.0003 €600.00" in text
    assert "Above 3,000,000 1,218,530 €0.0002 €243.706" in text
    assert "€1,243.71" in text


def test_what_is_taken_off_has_a_real_minus_sign(invoice: bytes) -> None:
    text = whole_text(invoice)

    assert "−10,300" in text
    assert "−€4.12" in text


def test_totals_lead_from_the_subtotal_to_what_is_due(invoice: bytes) -> None:
    assert (
        "Subtotal €1,738.59 Launch partner discount, 10% −€173.86 Total excluding VAT €1,564.73 VAT 23% on €1,564.73 €359.89 "
        "Total €1,924.62 Prepaid credit: Annual prepayment −€120.00 Amount due EUR €1,804.62"
    ) in whole_text(invoice)


def test_each_tax_rate_has_its_own_row() -> None:
    taxes = (
        TaxTotal(rate=Decimal("7.75"), base_minor=10_000, amount_minor=775),
        TaxTotal(rate=Decimal(0), base_minor=500, amount_minor=0),
    )

    text = whole_text(render_pdf(snapshot(taxes=taxes)))

    assert "Tax 7.75% on €100.00 €7.75" in text
    assert "Tax 0% on €5.00 €0.00" in text


def test_only_the_packaged_fonts_are_embedded(invoice: bytes) -> None:
    assert embedded_fonts(invoice) == {"Inter", "Inter-Medium", "Inter-Semi-Bold", "Inter-Bold"}


def test_the_document_is_tagged_for_screen_readers(invoice: bytes) -> None:
    root = catalogue(invoice)

    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    kinds = _structure_kinds(root["/StructTreeRoot"].get_object())
    assert {"/H1", "/H2", "/P", "/Table", "/THead", "/TH", "/TD", "/Figure"} <= kinds


def _structure_kinds(element: object) -> set[str]:
    resolved = element.get_object() if hasattr(element, "get_object") else element
    if isinstance(resolved, list):
        return set().union(*(_structure_kinds(item) for item in resolved))
    if not isinstance(resolved, dict):
        return set()
    own = {str(resolved["/S"])} if "/S" in resolved else set()
    return own | (_structure_kinds(resolved["/K"]) if "/K" in resolved else set())


def test_the_file_is_titled_and_dated_by_the_invoice_not_by_the_clock(invoice: bytes) -> None:
    metadata = open_pdf(invoice).metadata

    assert metadata is not None
    assert metadata.title == "Invoice NL-2026-000417 · Northlight Systems Ltd"
    assert metadata.author == "Northlight Systems Ltd"
    assert metadata.creation_date == metadata.modification_date == datetime(2026, 11, 1, 2, 0, 5, tzinfo=UTC)


def test_the_same_snapshot_gives_the_same_bytes_in_any_process() -> None:
    orders = [
        ["en", "ar", "en"],
        ["ja", "ar", "en", "credit_note", "de", "receipt"],
        ["receipt", "credit_note", "de", "en", "ja"],
    ]
    found: dict[str, set[str]] = {}
    for seed, names in enumerate(orders):
        run = subprocess.run(
            [sys.executable, "-c", RENDER_ELSEWHERE, *names],
            cwd=CHECKOUT,
            env=os.environ
            | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(CHECKOUT), "DJANGO_SETTINGS_MODULE": "squill.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        for name, digest in zip(names, json.loads(run.stdout), strict=True):
            found.setdefault(name, set()).add(digest)

    assert {name: len(digests) for name, digests in found.items()} == dict.fromkeys(found, 1)
    assert len(set().union(*found.values())) == len(found) == 6


def test_forty_five_lines_fill_three_pages_with_heads_and_page_numbers() -> None:
    pages = page_texts(render_pdf(snapshot(lines=many_lines(45))))

    assert len(pages) == 3
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of 3" in page
        assert "Description Quantity Unit price VAT Amount" in page
    for page in pages[1:]:
        assert "Northlight Systems Ltd" in page
        assert "Invoice NL-2026-000417" in page
    text = " ".join(pages)
    assert re.findall(r"Meter \d{3}", text) == [f"Meter {number:03d}" for number in range(1, 46)]


def test_two_hundred_lines_are_all_printed_once() -> None:
    text = whole_text(render_pdf(snapshot(lines=many_lines(200))))

    assert re.findall(r"Meter \d{3}", text) == [f"Meter {number:03d}" for number in range(1, 201)]


def with_fifty_tiers(count: int) -> InvoiceSnapshot:
    """Make that many lines of fifty tiers each."""
    tiers = tuple(
        BreakdownStep(
            step="tier",
            amount=Decimal(1),
            above=Decimal(tier),
            up_to=Decimal(tier + 1),
            quantity=Decimal(1),
            unit_amount=Decimal(1),
        )
        for tier in range(50)
    )
    meters = (
        line(f"Meter {number:03d}", position=number, amount_minor=5_000, quantity=Decimal(50), breakdown=tiers)
        for number in range(1, count + 1)
    )
    return snapshot(lines=tuple(meters))


def test_fifty_tiers_of_a_line_are_all_printed_and_never_part_from_it_at_once() -> None:
    pages = page_texts(render_pdf(with_fifty_tiers(6)))

    text = " ".join(pages)
    assert text.count("Above 49 up to 50 1 €1.00 €1.00") == 6
    assert text.count("1 €1.00 €1.00") == 300
    for page in pages:
        # The name of a line has two tiers below it, and the last tier another one above it, wherever a page ends.
        assert page.count("Meter") == page.count("Up to 1 1") == page.count("Above 1 up to 2 ")
        assert page.count("Above 49 up to 50") == page.count("Above 48 up to 49")


def test_ten_thousand_tiers_are_all_written() -> None:
    html = compose(with_fifty_tiers(200)).html

    assert html.count('<tr class="step') == 10_000


@pytest.mark.parametrize("count", range(7, 14))
def test_totals_never_stand_alone_on_a_page(count: int) -> None:
    last = page_texts(render_pdf(snapshot(lines=many_lines(count))))[-1]

    assert f"Meter {count:03d}" in last
    assert "Subtotal" in last
    assert "€1,804.62" in last


def test_a_heading_never_stands_alone_at_the_end_of_a_page() -> None:
    usage = many_lines(12)
    for count in range(5, 12):
        late = line("Late usage", group="adjustment", position=99, amount_minor=100)
        pages = page_texts(render_pdf(snapshot(lines=(*usage[:count], late))))
        assert [page for page in pages if "Adjustments" in page] == [page for page in pages if "Late usage" in page]


@pytest.mark.parametrize(
    ("currency", "due"), [("JPY", "¥180,462"), ("KWD", "KWD 180.462"), ("USD", "$1,804.62"), ("CHF", "CHF 1,804.62")]
)
def test_amounts_have_the_decimals_of_their_currency(currency: str, due: str) -> None:
    assert f"Amount due {due}" in whole_text(render_pdf(snapshot(currency=currency)))


def test_amounts_and_dates_follow_the_locale_of_the_customer() -> None:
    text = whole_text(render_pdf(snapshot(locale="de-AT")))

    assert "€ 1.804,62" in text
    assert "1. Dezember 2026" in text
    assert "Irland" in text
    assert "23 %" in text


def test_an_alphabet_without_a_font_gets_english_dates_not_empty_boxes() -> None:
    text = whole_text(render_pdf(snapshot(locale="hi")))

    assert "Due by 1 December 2026" in text


def test_an_unknown_locale_is_printed_in_english() -> None:
    assert "Due by 1 December 2026" in whole_text(render_pdf(snapshot(locale="tlh-XX")))


def test_an_estimate_says_so_and_cannot_be_paid() -> None:
    text = whole_text(render_pdf(snapshot(number="", finalized_at=None), estimate=True))

    assert "Estimate" in text
    assert "Estimated amount €1,804.62" in text
    assert "Not an invoice" in text
    for word in ("NL-2026-000417", "IBAN", "Due by", "Invoice "):
        assert word not in text


def test_an_estimate_is_marked_on_every_page() -> None:
    pages = page_texts(render_pdf(snapshot(number="", lines=many_lines(30)), estimate=True))

    assert len(pages) > 1
    assert all("Estimate" in page for page in pages)


def test_a_number_is_needed_except_on_an_estimate() -> None:
    with pytest.raises(ValueError, match="without a number"):
        render_pdf(snapshot(number=""))


def test_nothing_is_asked_for_where_nothing_is_due() -> None:
    text = whole_text(render_pdf(snapshot(due_minor=0, credits_minor=192_462)))

    assert re.search("Amount due €0.00 ?Nothing to pay", text)
    assert "IBAN" not in text


def test_names_that_look_like_markup_are_printed_as_they_are() -> None:
    name = '<img src="file:///etc/passwd"><b>{{ 7|add:7 }}</b>'

    document = render_pdf(
        snapshot(buyer=Party(legal_name=name), lines=(line(name, amount_minor=1, detail="{% load i18n %} & <"),))
    )

    text = whole_text(document)
    assert text.count("file:///etc/ passwd") + text.count("file:///etc/passwd") == 2
    assert "{{ 7|add:7 }}" in text
    assert "{% load i18n %} & <" in text


def with_name_everywhere(name: str) -> bytes:
    return render_pdf(
        snapshot(
            buyer=msgspec.structs.replace(BUYER, legal_name=name, address=(name,) * 20, reference=name, tax_id=name),
            seller=msgspec.structs.replace(SELLER, legal_name=name, name=name),
            purchase_order=name,
            footer=name,
            lines=(line(name, amount_minor=10**17, unit=name, detail=name, quantity=Decimal("123456789012345678.123456789012")),),
            due_minor=10**17,
        )
    )


@pytest.mark.parametrize(
    "name",
    ["W" * 300, "Very long company name " * 40, "", " ", "a\u00ad\u200bb", "{{ x }}" * 1_500, "\u202eevil" * 99, "😀" * 9_999],
)
def test_long_and_empty_names_leave_the_rest_readable(name: str) -> None:
    assert "€1,000,000,000,000,000.00" in whole_text(with_name_everywhere(name))


@pytest.mark.parametrize("name", ["שלום עולם בע״מ", "شركة المثال", "株式会社ノースライト", "😀", "\u202e\u0007\u0000\ufffe"])
def test_names_outside_the_alphabets_of_the_fonts_print_without_the_fonts_of_the_machine(name: str) -> None:
    document = with_name_everywhere(name)

    assert all(font.startswith(("Inter", "Noto-Sans-")) for font in embedded_fonts(document))
    assert len(open_pdf(document).pages) >= 1


def test_parties_are_printed_once_even_when_they_fill_a_page() -> None:
    long = msgspec.structs.replace(BUYER, legal_name="Unrepeated Ltd", address=("A" * 300,) * 12)

    assert whole_text(render_pdf(snapshot(buyer=long, footer="x"))).count("Unrepeated Ltd") == 1


def test_the_renderer_is_named_with_both_versions() -> None:
    assert re.fullmatch(r"weasyprint \d+\.\d+.*, template \d+", renderer_version())
