import re
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from squill.web.charts import Bar, DayChart, bars, bars_path, document_svg, portal_figure

FIRST = date(2026, 10, 1)


def chart(*values: int | str, title: str = "API requests", unit: str = "calls") -> DayChart:
    return DayChart(title=title, unit=unit, first_day=FIRST, values=tuple(Decimal(value) for value in values))


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)  # noqa: S314 (our own markup)


def test_bars_fill_the_width_and_the_greatest_fills_the_height() -> None:
    # Three days of 10 units each, three tenths of which are the gap; heights 20 x 1/4, 20 x 2/4, 20 x 4/4.
    assert bars([Decimal(1), Decimal(2), Decimal(4)], width=30, height=20) == [
        Bar(0, 15, 7, 5),
        Bar(10, 10, 7, 10),
        Bar(20, 0, 7, 20),
    ]


def test_days_without_usage_or_below_zero_have_no_height() -> None:
    assert [bar.height for bar in bars([Decimal(0), Decimal(-5), Decimal(10)])] == [0, 0, 160]


def test_a_little_usage_stays_visible_beside_a_lot() -> None:
    assert [bar.height for bar in bars([Decimal("0.001"), Decimal(10**12)])] == [2, 160]


def test_a_year_of_days_stays_inside_the_drawing() -> None:
    laid_out = bars([Decimal(1)] * 366)

    assert len(laid_out) == 366
    assert all(bar.width >= 1 for bar in laid_out)
    assert laid_out[-1].x + laid_out[-1].width == 600


def test_months_without_any_usage_draw_nothing() -> None:
    assert bars_path([Decimal(0)] * 31) == ""
    assert bars([]) == []


def test_the_path_of_the_document_draws_the_same_bars() -> None:
    assert bars_path([Decimal(2), Decimal(0), Decimal(4)], width=30, height=10) == "M0 10v-5h7v5zM20 10v-10h7v10z"


@pytest.mark.parametrize(("values", "worth"), [((), False), ((5,), False), ((5, 5, 5), False), ((0, 0), False), ((5, 6), True)])
def test_a_chart_without_a_shape_is_not_worth_drawing(values: tuple[int, ...], worth: bool) -> None:
    assert chart(*values).is_worth_drawing is worth


def test_the_document_draws_one_named_path() -> None:
    svg = parsed(document_svg(chart(1, 2, title="Calls <&> per day"), color="#3346a8"))

    assert svg.get("aria-label") == svg.findtext("title") == "Calls <&> per day"
    assert [child.get("fill") for child in svg if child.tag == "path"] == ["#3346a8"]


def test_the_page_names_and_describes_the_chart_and_every_bar() -> None:
    figure = parsed(portal_figure(chart(1200, 3400, 0), locale="en", element_id="calls"))

    svg = figure.find("svg")
    assert svg is not None
    assert svg.get("aria-labelledby") == "calls-title calls-desc"
    assert svg.findtext("title[@id='calls-title']") == "API requests"
    assert (
        svg.findtext("desc[@id='calls-desc']")
        == "One bar a day, 1 – 3 October 2026. The highest is 3,400 calls on 2 October 2026."
    )
    assert [title.text for title in svg.findall("g/title")] == ["1 Oct: 1,200 calls", "2 Oct: 3,400 calls", "3 Oct: 0 calls"]


def test_the_page_has_the_same_numbers_as_a_table() -> None:
    figure = parsed(portal_figure(chart("1200.5", "-7"), locale="de"))

    rows = figure.findall("details/table/tbody/tr")
    assert [[cell.text for cell in row] for row in rows] == [
        ["1. Oktober 2026", "1.200,5 calls"],
        ["2. Oktober 2026", "−7 calls"],
    ]
    assert figure.find("details/table/thead/tr/th[@scope='col']") is not None


def test_the_page_passes_a_strict_content_security_policy() -> None:
    figure = portal_figure(chart(1, 2, 3), locale="en")

    assert not re.search(r"style=|<style|<script|\son\w+=|href=", figure)


def test_texts_are_escaped() -> None:
    figure = portal_figure(chart(1, 2, title="<script>alert(1)</script>", unit="<b>"), locale="en", element_id='x"y')

    assert "<script>" not in figure
    assert "<b>" not in figure
    assert 'x"y' not in figure


def test_without_days_the_page_says_so() -> None:
    assert portal_figure(chart(), locale="en") == '<p class="day-chart-empty">No usage yet.</p>'


def test_days_follow_each_other_from_the_first() -> None:
    assert chart(1, 2, 3).days == (FIRST, FIRST + timedelta(days=1), FIRST + timedelta(days=2))
