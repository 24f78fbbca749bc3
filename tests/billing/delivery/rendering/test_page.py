import json
import re

import pytest

from billing.delivery.rendering.page import compose
from billing.delivery.rendering.pdf import render_pdf
from billing.invoicing.snapshot import from_json
from tests.billing.delivery.rendering.reading import catalogue, embedded_fonts, whole_text
from tests.billing.delivery.rendering.snapshots import VERSION_1, credit_note, document, receipt, snapshot

WORDS = {
    "en": ("Invoice", "Amount due", "Subscription", "Page 1 of 1"),
    "de": ("Rechnung", "Zu zahlen", "Abonnement", "Seite 1 von 1"),
    "fr": ("Facture", "Montant à payer", "Abonnement", "Page 1 sur 1"),
    "es": ("Factura", "Importe a pagar", "Suscripción", "Página 1 de 1"),
    "ja": ("請求書", "ご請求金額", "サブスクリプション", "1 / 1 ページ"),
}


@pytest.mark.parametrize(("locale", "words"), WORDS.items())
def test_a_document_speaks_the_language_of_the_customer(locale: str, words: tuple[str, ...]) -> None:
    made = render_pdf(document(locale))

    assert catalogue(made)["/Lang"] == locale
    text = whole_text(made)
    for word in words:
        assert word in text
    assert "\ufffd" not in text


def test_an_arabic_document_runs_from_right_to_left() -> None:
    page = compose(snapshot(locale="ar-SA"))

    assert '<html lang="ar" dir="rtl">' in page.html
    for words in ("فاتورة", "المبلغ المستحق", "الاشتراك", "\u2068NL-2026-000417\u2069", "\u200e−10,300"):
        assert words in page.html
    assert "float: right" in page.styles
    assert "direction: rtl" in page.styles
    made = render_pdf(snapshot(locale="ar-SA"))
    assert catalogue(made)["/Lang"] == "ar"
    assert {"Noto-Sans-Arabic", "Noto-Sans-Arabic-Semi-Bold"} <= embedded_fonts(made)


def test_a_language_without_a_catalogue_is_english_with_its_own_formats() -> None:
    page = compose(snapshot(locale="it"))

    assert '<html lang="en" dir="ltr">' in page.html
    assert "Amount due" in page.html
    assert "1.804,62\u00a0€" in page.html


def test_a_credit_note_says_what_it_corrects_why_and_how_it_is_settled() -> None:
    text = whole_text(render_pdf(credit_note()))

    for words in (
        "Credit note",
        "NL-CN-2026-000031",
        "Corrects invoice NL-2026-000417",
        "Credit to Fenwick & Daly Ltd",
        "An outage of the EU region on 14 October",
        "VAT 23% on €54.00 €12.42",
        "Total credited EUR €66.42",
        "How it is settled Taken off invoice NL-2026-000417 €50.00 Kept for your next invoices €16.42",
    ):
        assert words in text
    for word in ("Amount due", "Due by", "IBAN", "Pay online"):
        assert word not in text


def test_a_receipt_says_what_was_paid_how_and_for_which_invoices() -> None:
    text = whole_text(render_pdf(receipt()))

    for words in (
        "Receipt",
        "NL-R-2026-000112",
        "€2,000.00",
        "Received on 19 November 2026",
        "Payment method Bank transfer",
        "SEPA 2026-11-19 7731",
        "NL-2026-000398 1 October 2026 €150.00",
        "NL-2026-000417 1 November 2026 €1,804.62",
        "Kept for your next invoices €45.38",
    ):
        assert words in text
    for word in ("Subtotal", "VAT 23%", "IBAN", "Due by"):
        assert word not in text


def test_a_snapshot_of_version_1_still_prints() -> None:
    text = whole_text(render_pdf(from_json(json.loads(VERSION_1))))

    assert (
        "Subtotal €10.00 Discount −€1.00 Total excluding tax €9.00 Tax 20% on €9.00 €1.80 Total €10.80 "
        "Credits applied −€0.80 Amount due EUR €10.00"
    ) in text
    assert "Tax ID IE 1" in text


def test_a_logo_that_cannot_be_used_gives_way_to_the_initial(caplog: pytest.LogCaptureFixture) -> None:
    page = compose(snapshot(), logo=b"GIF89a")

    assert '<span class="initial">N</span>' in page.html
    assert "printed without its logo: Take an SVG or a PNG" in caplog.text


def test_styles_are_few_so_that_they_stay_parsed() -> None:
    assert compose(snapshot()).styles == compose(credit_note(number="X")).styles
    assert compose(snapshot(brand_color="#0a7d5a")).styles != compose(snapshot()).styles


def test_a_link_leads_only_to_the_payment_page() -> None:
    links = re.findall(r'href="([^"]*)"', compose(snapshot()).html)
    assert links == ["https://pay.northlight.example/NL-2026-000417"]
