"""
A bar chart of one number a day, drawn on the server as SVG.

The portal's variant can be read without a script: a name and a description, a text on every bar, and a table of the same numbers
beside it. It carries classes and presentation attributes only (no style attribute, no script), so a strict Content Security
Policy takes it, and it draws in the text's own colour until a stylesheet says otherwise. The invoice's variant draws all bars as
one path, because every shape costs the PDF time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from squill.web import formatting

# The drawing's own units; the page scales it to the width that there is.
WIDTH = 600
HEIGHT = 160
# A day with any usage at all stays visible beside a day with a million times as much.
_LEAST_BAR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChart:
    """
    What a chart shows: `values` has one number a day from `first_day` on, in units of `unit` (may be empty).

    Days below zero (usage taken back) are drawn as empty and written out in the texts and the table.
    """

    title: str
    first_day: date
    values: tuple[Decimal, ...]
    unit: str = ""

    @property
    def days(self) -> tuple[date, ...]:
        """Return the day of each value."""
        return tuple(self.first_day + timedelta(days=offset) for offset in range(len(self.values)))

    @property
    def is_worth_drawing(self) -> bool:
        """Say whether there is a shape to see: at least two days, and not all the same."""
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from the top left corner, in the units of the drawing."""

    x: int
    y: int
    width: int
    height: int


def bars(values: Sequence[Decimal], *, width: int = WIDTH, height: int = HEIGHT) -> list[Bar]:
    """
    Lay the bars out so that they fill the width and the greatest one fills the height.

    Up to two months leave a gap between the bars; a value of zero or less has no height.
    """
    if not values:
        return []
    peak = max(values)
    laid_out = []
    for index, value in enumerate(values):
        # Whole numbers by division of the running edge: the rounding never adds up over a year of bars.
        left, right = index * width // len(values), (index + 1) * width // len(values)
        gap = max((right - left) * 3 // 10, 1) if len(values) <= 62 else 0
        tall = max(int(value * height / peak), _LEAST_BAR) if value > 0 else 0
        laid_out.append(Bar(left, height - tall, max(right - left - gap, 1), tall))
    return laid_out


def bars_path(values: Sequence[Decimal], *, width: int = WIDTH, height: int = HEIGHT) -> str:
    """
    Return the data of one SVG path that draws all bars.

    >>> bars_path([Decimal(2), Decimal(0), Decimal(4)], width=30, height=10)
    'M0 10v-5h7v5zM20 10v-10h7v10z'
    """
    return "".join(
        f"M{bar.x} {height}v-{bar.height}h{bar.width}v{bar.height}z"
        for bar in bars(values, width=width, height=height)
        if bar.height
    )


def document_svg(chart: DayChart, *, color: str, width: int = WIDTH, height: int = HEIGHT, mirrored: bool = False) -> SafeString:
    """
    Draw the chart for a printed document: one path in the given colour (#rrggbb), named by its title.

    :param mirrored: True where time runs from right to left
    """
    return format_html(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}"><title>{}</title>'
        '<path fill="{}" d="{}"/></svg>',
        width,
        height,
        chart.title,
        chart.title,
        color,
        bars_path(chart.values[::-1] if mirrored else chart.values, width=width, height=height),
    )


def portal_figure(chart: DayChart, *, locale: str, element_id: str = "chart") -> SafeString:
    """
    Draw the chart for a web page, with its numbers as a table that opens on demand.

    Classes: `day-chart`, and below it `day-chart-title`, `-svg`, `-bar`, `-line`, `-axis` (first and last day), `-data` (the
    table); `day-chart-empty` where there are no days.
    `element_id` must be unique on the page.
    """
    rows = list(zip(chart.days, (_quantity(value, chart.unit, locale) for value in chart.values), strict=True))
    if not rows:
        return format_html('<p class="day-chart-empty">{}</p>', _("No usage yet."))
    return format_html(
        '<figure class="day-chart"><figcaption class="day-chart-title">{title}</figcaption>{svg}'
        '<p class="day-chart-axis"><span>{first}</span> <span>{last}</span></p>{table}</figure>',
        title=chart.title,
        svg=_portal_svg(chart, rows, locale=locale, element_id=element_id),
        first=formatting.format_day_short(chart.days[0], locale),
        last=formatting.format_day_short(chart.days[-1], locale),
        table=_data_table(rows, locale=locale),
    )


def _portal_svg(chart: DayChart, rows: Sequence[tuple[date, str]], *, locale: str, element_id: str) -> SafeString:
    peak_day, peak = rows[chart.values.index(max(chart.values))]
    description = _("One bar a day, %(days)s. The highest is %(peak)s on %(day)s.") % {
        "days": formatting.format_date_range(chart.days[0], chart.days[-1], locale),
        "peak": peak,
        "day": formatting.format_date(peak_day, locale),
    }
    drawn = format_html_join(
        "",
        '<g class="day-chart-bar"><title>{}: {}</title><rect x="{}" y="0" width="{}" height="{}" fill="none" '
        'pointer-events="all"/><rect x="{}" y="{}" width="{}" height="{}" rx="1" fill="currentColor"/></g>',
        (
            (formatting.format_day_short(day, locale), quantity, bar.x, bar.width, HEIGHT, bar.x, bar.y, bar.width, bar.height)
            for (day, quantity), bar in zip(rows, bars(chart.values), strict=True)
        ),
    )
    return format_html(
        '<svg class="day-chart-svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{id}-title {id}-desc">'
        '<title id="{id}-title">{title}</title><desc id="{id}-desc">{description}</desc>{bars}'
        '<line class="day-chart-line" x1="0" y1="{height}" x2="{width}" y2="{height}" stroke="currentColor"/></svg>',
        width=WIDTH,
        height=HEIGHT,
        id=element_id,
        title=chart.title,
        description=description,
        bars=drawn,
    )


def _data_table(rows: Sequence[tuple[date, str]], *, locale: str) -> SafeString:
    body = format_html_join(
        "",
        '<tr><th scope="row">{}</th><td>{}</td></tr>',
        ((formatting.format_date(day, locale), quantity) for day, quantity in rows),
    )
    return format_html(
        '<details class="day-chart-data"><summary>{}</summary><table><thead><tr><th scope="col">{}</th>'
        '<th scope="col">{}</th></tr></thead><tbody>{}</tbody></table></details>',
        _("Show the numbers"),
        _("Day"),
        _("Usage"),
        body,
    )


def _quantity(value: Decimal, unit: str, locale: str) -> str:
    number = formatting.format_decimal(value, locale)
    return f"{number} {unit}" if unit else number
