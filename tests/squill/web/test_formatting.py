from datetime import date
from decimal import Decimal, localcontext

import pytest

from squill.web import formatting

NBSP = "\u00a0"
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "text"),
    [
        (211_193, "EUR", "en", "€2,111.93"),
        (-20_162, "EUR", "en", "−€201.62"),
        (-20_162, "EUR", "de", f"−201,62{NBSP}€"),
        (211_193, "EUR", "de-AT", f"€{NBSP}2.111,93"),
        (211_193, "EUR", "fr", f"2{NARROW}111,93{NBSP}€"),
        (1_200, "JPY", "en", "¥1,200"),
        (1_200, "JPY", "ja", "¥1,200"),
        (1_500, "KWD", "en", f"KWD{NBSP}1.500"),
        (123_456, "CHF", "en", f"CHF{NBSP}1,234.56"),
        (123_456_789, "INR", "hi", "₹12,34,567.89"),
        # CLDR prints dinars of Iraq without decimals; ISO 4217, and so an invoice, gives them three.
        (1_234, "IQD", "en", f"IQD{NBSP}1.234"),
        (0, "EUR", "en", "€0.00"),
        (10**18, "USD", "en-US", "$10,000,000,000,000,000.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(minor: int, currency: str, locale: str, text: str) -> None:
    assert formatting.format_money_minor(minor, currency, locale) == text


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown currency 'XXX'"):
        formatting.format_money_minor(1, "XXX", "en")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("0.0004", "EUR", "€0.0004"),
        ("0.000000000001", "EUR", "€0.000000000001"),
        ("19", "EUR", "€19.00"),
        ("0.9000", "EUR", "€0.90"),
        ("0.085", "JPY", "¥0.085"),
        ("-243.706", "EUR", "−€243.706"),
        ("123456789012345678.123456789012", "EUR", "€123,456,789,012,345,678.123456789012"),
    ],
)
def test_a_unit_price_keeps_all_its_decimals(amount: str, currency: str, text: str) -> None:
    assert formatting.format_unit_price(Decimal(amount), currency, "en") == text


@pytest.mark.parametrize(
    ("number", "locale", "text"),
    [
        ("4218530", "en", "4,218,530"),
        ("11.160", "en", "11.16"),
        ("1E+3", "en", "1,000"),
        ("-0.00", "en", "0"),
        ("-10300", "de", "−10.300"),
        ("123456789012345678.123456789012", "de", "123.456.789.012.345.678,123456789012"),
        ("0.1234", "ar", "0.1234"),
    ],
)
def test_a_quantity_keeps_all_its_decimals(number: str, locale: str, text: str) -> None:
    assert formatting.format_decimal(Decimal(number), locale) == text


def test_numbers_are_written_in_full_whatever_the_context_of_the_caller() -> None:
    with localcontext() as context:
        context.prec = 3
        assert formatting.format_decimal(Decimal("123456.789"), "en") == "123,456.789"
        assert formatting.format_money_minor(123_456_789, "EUR", "en") == "€1,234,567.89"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    with pytest.raises(ValueError, match="finite"):
        formatting.format_decimal(Decimal(number), "en")
    with pytest.raises(ValueError, match="finite"):
        formatting.format_unit_price(Decimal(number), "EUR", "en")


@pytest.mark.parametrize(
    ("percent", "locale", "text"),
    [
        ("23", "en", "23%"),
        ("7.75", "en", "7.75%"),
        ("0", "en", "0%"),
        ("23.0", "de", f"23{NBSP}%"),
        ("8.875", "fr", f"8,875{NBSP}%"),
    ],
)
def test_a_percentage_is_written_as_given(percent: str, locale: str, text: str) -> None:
    assert formatting.format_percent(Decimal(percent), locale).replace(NARROW, NBSP) == text


@pytest.mark.parametrize(
    ("first", "last", "locale", "text"),
    [
        (date(2026, 10, 1), date(2026, 10, 31), "en", "1 – 31 October 2026"),
        (date(2026, 10, 15), date(2026, 11, 14), "en", "15 October – 14 November 2026"),
        (date(2026, 12, 15), date(2027, 1, 14), "en", "15 December 2026 – 14 January 2027"),
        (date(2026, 10, 1), date(2026, 10, 1), "en", "1 October 2026"),
        (date(2026, 10, 1), date(2026, 10, 31), "en-US", "October 1 – 31, 2026"),
        (date(2026, 10, 15), date(2026, 11, 14), "en-US", "October 15 – November 14, 2026"),
        (date(2026, 10, 1), date(2026, 10, 31), "de", "1. – 31. Oktober 2026"),
        (date(2027, 1, 1), date(2027, 1, 31), "de-AT", "1. – 31. Jänner 2027"),
        (date(2026, 10, 15), date(2026, 11, 14), "es", "15 de octubre – 14 de noviembre de 2026"),
        (date(2026, 10, 1), date(2026, 10, 31), "ja", "2026年10月1日 – 31日"),
    ],
)
def test_a_span_names_what_its_ends_share_once(first: date, last: date, locale: str, text: str) -> None:
    assert formatting.format_date_range(first, last, locale) == text


def test_a_span_that_runs_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="must not end before it starts"):
        formatting.format_date_range(date(2026, 10, 2), date(2026, 10, 1), "en")


@pytest.mark.parametrize(
    ("locale", "text"),
    [("en", "1 November 2026"), ("en-US", "November 1, 2026"), ("de_AT", "1. November 2026"), ("xx-YY", "1 November 2026")],
)
def test_dates_follow_the_locale_and_unknown_ones_read_as_english(locale: str, text: str) -> None:
    assert formatting.format_date(date(2026, 11, 1), locale) == text


def test_an_unknown_region_falls_back_to_its_language() -> None:
    assert formatting.format_date(date(2026, 10, 1), "de-ZZ") == "1. Oktober 2026"


def test_countries_are_named_in_the_locale() -> None:
    assert formatting.country_name("IE", "de") == "Irland"
    assert formatting.country_name("ie", "en") == "Ireland"
    assert formatting.country_name("Atlantis", "en") == "Atlantis"
