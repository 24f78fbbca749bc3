"""
Template filters and tags around `squill.web.formatting`, in the language of the page.

`{% load formatting %}`, then `{{ invoice.due_minor|money:invoice.currency }}`, `{{ line.quantity|number }}`,
`{% date_range period.first_day period.last_day %}`, `{% day_chart chart "api-calls" %}`.
"""

from datetime import date
from decimal import Decimal

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from squill.web import charts, formatting

register = template.Library()


def _locale() -> str:
    return get_language() or "en"


@register.filter
def money(minor: int, currency: str) -> str:
    """Write minor units with the currency's decimals: `{{ total_minor|money:"EUR" }}`."""
    return formatting.format_money_minor(minor, currency, _locale())


@register.filter
def unit_price(amount: Decimal, currency: str) -> str:
    """Write an unrounded amount in major units with all its decimals."""
    return formatting.format_unit_price(amount, currency, _locale())


@register.filter
def number(value: Decimal | int) -> str:
    """Write a quantity with all its decimals."""
    return formatting.format_decimal(Decimal(value), _locale())


@register.filter
def percent(value: Decimal) -> str:
    """Write a percentage given in percent."""
    return formatting.format_percent(value, _locale())


@register.filter
def long_date(day: date) -> str:
    """Write a day with the name of its month."""
    return formatting.format_date(day, _locale())


@register.filter
def short_day(day: date) -> str:
    """Write a day and month without the year."""
    return formatting.format_day_short(day, _locale())


@register.filter
def country(code: str) -> str:
    """Write the name of a country given by its ISO code."""
    return formatting.country_name(code, _locale())


@register.simple_tag
def date_range(first: date, last: date) -> str:
    """Write a span of days, both inclusive."""
    return formatting.format_date_range(first, last, _locale())


@register.simple_tag
def day_chart(chart: charts.DayChart, element_id: str = "chart") -> SafeString:
    """Draw a bar a day, with the numbers as a table; `element_id` must be unique on the page."""
    return charts.portal_figure(chart, locale=_locale(), element_id=element_id)
