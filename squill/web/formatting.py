"""
Amounts, numbers, dates and names of countries as people read them, in their own locale.

Locales are BCP 47 tags such as `en` or `de-AT`; one that is not known is read as its language alone, and else as English. Plain
`en` writes dates day first (1 October 2026), as invoices that cross borders do; `en-US` writes them its own way. Figures
are always 0 to 9, a minus is U+2212, and no number is ever rounded here.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date as babel_date
from babel.dates import format_skeleton
from babel.numbers import NumberPattern, parse_pattern

from squill.lib import currency as currencies

MINUS: Final = "\N{MINUS SIGN}"
_NBSP: Final = "\N{NO-BREAK SPACE}"
_RANGE: Final = " \N{EN DASH} "
_LEFT_TO_RIGHT_MARK: Final = "\N{LEFT-TO-RIGHT MARK}"
_HYPHEN: Final = re.compile("[\u200e\u061c]?-")
# The full-width sign is missing from Latin fonts, and means the same.
_FULL_WIDTH_YEN: Final = str.maketrans({"\N{FULLWIDTH YEN SIGN}": "\N{YEN SIGN}"})
# Enough for every number that the database can hold; Babel would otherwise cut at the 28 digits of the default context.
_DIGITS: Final = 80


def format_money_minor(minor: int, currency: str, locale: str) -> str:
    """
    Write an amount of minor units with the currency's own number of decimals.

    :raises ValueError: if the currency is unknown

    >>> format_money_minor(-20162, "EUR", "en"), format_money_minor(1200, "JPY", "en"), format_money_minor(1500, "KWD", "en")
    ('−€201.62', '¥1,200', 'KWD\\xa01.500')
    """
    exponent = currencies.exponent(currency)
    with _exact():
        return _money(Decimal(minor).scaleb(-exponent), currency, locale, least=exponent)


def format_unit_price(amount: Decimal, currency: str, locale: str) -> str:
    """
    Write an unrounded amount in major units with all its decimals, and at least those of the currency.

    :raises ValueError: if the currency is unknown or the amount is not finite

    >>> format_unit_price(Decimal("0.0004"), "EUR", "en"), format_unit_price(Decimal("19"), "EUR", "en")
    ('€0.0004', '€19.00')
    """
    with _exact():
        return _money(amount, currency, locale, least=currencies.exponent(currency))


def format_decimal(number: Decimal, locale: str) -> str:
    """
    Write a number with all its decimals and its thousands grouped.

    :raises ValueError: if the number is not finite

    >>> format_decimal(Decimal("4218530"), "en"), format_decimal(Decimal("-214.750"), "de")
    ('4,218,530', '−214,75')
    """
    with _exact():
        babel = _babel(locale)
        return _apply(babel.decimal_formats[None], number, babel, least=0)


def format_percent(percent: Decimal, locale: str) -> str:
    """
    Write a percentage, given in percent: 23 is 23 %.

    :raises ValueError: if the number is not finite

    >>> format_percent(Decimal("23"), "en"), format_percent(Decimal("7.75"), "de")
    ('23%', '7,75\\xa0%')
    """
    with _exact():
        babel = _babel(locale)
        # The pattern multiplies by a hundred itself.
        return _apply(babel.percent_formats[None], percent.scaleb(-2), babel, least=0)


def format_date(day: date, locale: str) -> str:
    """
    Write a day with the name of its month.

    >>> format_date(date(2026, 11, 1), "en"), format_date(date(2026, 11, 1), "en-US")
    ('1 November 2026', 'November 1, 2026')
    """
    return babel_date(day, "long", locale=_date_locale(locale))


def format_day_short(day: date, locale: str) -> str:
    """
    Write a day and month without the year, for the axis of a chart.

    >>> format_day_short(date(2026, 10, 31), "en"), format_day_short(date(2026, 10, 31), "de")
    ('31 Oct', '31. Okt.')
    """
    return format_skeleton("MMMd", day, locale=_date_locale(locale))


def format_month(day: date, locale: str) -> str:
    """
    Write the month that a day lies in, with its year.

    >>> format_month(date(2026, 10, 31), "en"), format_month(date(2026, 10, 31), "de")
    ('October 2026', 'Oktober 2026')
    """
    return format_skeleton("yMMMM", day, locale=_date_locale(locale))


def format_month_short(day: date, locale: str) -> str:
    """
    Write the month that a day lies in with its year, short, for the axis of a chart.

    >>> format_month_short(date(2026, 10, 31), "en"), format_month_short(date(2026, 10, 31), "de")
    ('Oct 2026', 'Okt. 2026')
    """
    return format_skeleton("yMMM", day, locale=_date_locale(locale))


def format_date_range(first: date, last: date, locale: str) -> str:
    """
    Write a span of days, both inclusive, naming the month and year once where the locale's order of words allows it.

    :raises ValueError: if the last day is before the first

    >>> format_date_range(date(2026, 10, 1), date(2026, 10, 31), "en")
    '1 – 31 October 2026'
    >>> format_date_range(date(2026, 10, 15), date(2026, 11, 14), "en-US")
    'October 15 – November 14, 2026'
    >>> format_date_range(date(2026, 10, 1), date(2026, 10, 31), "ja")
    '2026年10月1日 – 31日'
    """
    if last < first:
        raise ValueError(f"a span of days must not end before it starts: {first} … {last}")
    if first == last:
        return format_date(first, locale)
    babel = _date_locale(locale)
    start = _shortened_start(babel.date_formats["long"].pattern, first, last)
    if start is None:
        return format_date(first, locale) + _RANGE + format_date(last, locale)
    start_pattern, end_pattern = start
    return babel_date(first, start_pattern, locale=babel) + _RANGE + babel_date(last, end_pattern, locale=babel)


def country_name(code: str, locale: str) -> str:
    """
    Return the name of a country (ISO 3166-1 alpha-2), or the code itself where it has none.

    >>> country_name("IE", "en"), country_name("IE", "de"), country_name("ZZZ", "en")
    ('Ireland', 'Irland', 'ZZZ')
    """
    return str(_babel(locale).territories.get(code.upper(), code))


def _shortened_start(pattern: str, first: date, last: date) -> tuple[str, str] | None:
    """Split the locale's pattern of a long date in two for a span within one year; None where its order forbids that."""
    if first.year != last.year:
        return None
    if day_first := re.match(r"(d+\.?)(.*?MMMM)", pattern):
        same_month = first.month == last.month
        return (day_first[1] if same_month else day_first[0]), pattern
    if month_first := re.match(r"(MMMM )(d+)", pattern):
        same_month = first.month == last.month
        return month_first[0], pattern.removeprefix(month_first[1]) if same_month else pattern
    if year_first := re.match(r"y+[^Md]*(M+[^d]*)(d+.*)", pattern):
        same_month = first.month == last.month
        return pattern, year_first[2] if same_month else year_first[1] + year_first[2]
    return None


def _money(amount: Decimal, currency: str, locale: str, *, least: int) -> str:
    babel = _babel(locale)
    text = _apply(babel.currency_formats["standard"], amount, babel, least=least, currency=currency)
    # CLDR parts a code made of letters from its figures; Babel leaves that out.
    return re.sub(r"([A-Za-z])(\d)", rf"\1{_NBSP}\2", text.translate(_FULL_WIDTH_YEN))


def _apply(pattern: NumberPattern, number: Decimal, babel: Locale, *, least: int, currency: str | None = None) -> str:
    if not number.is_finite():
        raise ValueError(f"a number must be finite, got {number}")
    number = abs(number) if number.is_zero() else number  # no negative zero
    text: str = _with_decimals(pattern.pattern, least).apply(
        number, babel, currency=currency, currency_digits=False, decimal_quantization=False
    )
    # From right to left a minus would be written behind its number, but for the mark.
    sign = _LEFT_TO_RIGHT_MARK + MINUS if babel.text_direction == "rtl" else MINUS
    return re.sub(_HYPHEN, sign, text, count=1) if number < 0 else text


@lru_cache(maxsize=256)
def _with_decimals(pattern: str, least: int) -> NumberPattern:
    parsed = parse_pattern(pattern)
    parsed.frac_prec = (least, least)
    return parsed


@lru_cache(maxsize=256)
def _babel(locale: str) -> Locale:
    tag = locale.replace("_", "-")
    for candidate in (tag, tag.partition("-")[0]):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en")


@lru_cache(maxsize=256)
def _date_locale(locale: str) -> Locale:
    babel = _babel(locale)
    return Locale.parse("en_GB") if str(babel) == "en" else babel


@contextmanager
def _exact() -> Iterator[None]:
    # A context of our own: the caller's may cut digits or refuse Babel's steps.
    with localcontext(Context(prec=_DIGITS)):
        yield
