from datetime import date
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils.translation import override

from squill.web.charts import DayChart

VALUES = {
    "minor": -211_193,
    "price": Decimal("0.0004"),
    "count": 4_218_530,
    "rate": Decimal("7.75"),
    "first": date(2026, 10, 1),
    "last": date(2026, 10, 31),
    "chart": DayChart(title="Calls", first_day=date(2026, 10, 1), values=(Decimal(1), Decimal(2))),
}


def rendered(source: str) -> str:
    return Template("{% load formatting %}" + source).render(Context(VALUES))


@pytest.mark.parametrize(
    ("source", "english", "german"),
    [
        ('{{ minor|money:"EUR" }}', "−€2,111.93", "−2.111,93\u00a0€"),
        ('{{ price|unit_price:"EUR" }}', "€0.0004", "0,0004\u00a0€"),
        ("{{ count|number }}", "4,218,530", "4.218.530"),
        ("{{ rate|percent }}", "7.75%", "7,75\u00a0%"),
        ("{{ first|long_date }}", "1 October 2026", "1. Oktober 2026"),
        ("{{ first|short_day }}", "1 Oct", "1. Okt."),
        ("{% date_range first last %}", "1 – 31 October 2026", "1. – 31. Oktober 2026"),
        ('{{ "IE"|country }}', "Ireland", "Irland"),
    ],
)
def test_values_are_written_in_the_language_of_the_page(source: str, english: str, german: str) -> None:
    with override("en"):
        assert rendered(source) == english
    with override("de"):
        assert rendered(source) == german


def test_a_chart_is_drawn_as_markup() -> None:
    assert '<svg class="day-chart-svg"' in rendered('{% day_chart chart "calls" %}')
    assert 'id="calls-title"' in rendered('{% day_chart chart "calls" %}')
