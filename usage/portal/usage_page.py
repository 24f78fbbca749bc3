"""What the usage page shows, formatted for the customer. Months are those of the customer's own time zone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Max, Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from squill.web import formatting
from squill.web.charts import DayChart
from usage.models import Meter, Rollup
from usage.selectors import MeteredUsage, daily_quantities, metered_usage_by_span, quantity_of

# A dimension with more values than this shows its largest, and the rest together.
_SHARES = 12


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; `key` is what the address of the page says."""

    first_day: date

    @property
    def end_day(self) -> date:
        """The first day of the next month."""
        year, month = divmod(self.first_day.year * 12 + self.first_day.month, 12)
        return date(year, month + 1, 1)

    @property
    def key(self) -> str:
        """The month as 2026-11."""
        return f"{self.first_day:%Y-%m}"


# What the number of a month is, where it is no total.
_TOTAL_LABELS: Final = {
    Meter.Aggregation.MIN: gettext_lazy("Smallest value"),
    Meter.Aggregation.MAX: gettext_lazy("Largest value"),
    Meter.Aggregation.LATEST: gettext_lazy("Latest value"),
    Meter.Aggregation.AVERAGE: gettext_lazy("Average"),
    Meter.Aggregation.UNIQUE_COUNT: gettext_lazy("Different values"),
    Meter.Aggregation.WEIGHTED_SUM: gettext_lazy("Average over the month"),
}


def usage_page(customer: Customer, *, wanted_meter: str, wanted_month: str, now: datetime) -> dict[str, Any]:
    """Return the page. Three queries; one where there is no usage."""
    used = _used_meters(customer)
    if not used:
        return {"meters": []}
    today = now.astimezone(ZoneInfo(customer.timezone)).date()
    meter = next((meter for meter in used if meter.code == wanted_meter), next(iter(used)))
    months = _months(min(first for first, _last in used.values()), max(today, *(last for _first, last in used.values())))
    month = next((month for month in months if month.key == wanted_month), _month_of(today))
    end_day = month.end_day
    days = daily_quantities(customer_id=customer.pk, meter=meter, first_day=month.first_day, end_day=end_day)
    [pieces] = metered_usage_by_span(customer_id=customer.pk, spans=[(month.first_day, end_day)])
    pieces = [piece for piece in pieces if piece.meter_id == meter.pk]
    shown = [quantity for day, quantity in days if day <= today] or [quantity for _day, quantity in days]
    return {
        "meters": [{"code": one.code, "name": one.name, "is_chosen": one == meter} for one in used],
        "months": [{"key": one.key, "name": _month_name(one, customer), "is_chosen": one == month} for one in reversed(months)],
        "meter": meter,
        "month": _month_name(month, customer),
        "total": _quantity(quantity_of(meter.aggregation, pieces), meter, customer),
        "total_label": _TOTAL_LABELS.get(Meter.Aggregation(meter.aggregation), _("Total")),
        "events": formatting.format_decimal(Decimal(sum(piece.event_count for piece in pieces)), customer.locale),
        "peak": _peak(days, meter, customer),
        "chart": DayChart(
            title=_("%(meter)s per day") % {"meter": meter.name}, first_day=month.first_day, values=tuple(shown), unit=meter.unit
        ),
        "is_used": bool(pieces),
        "dimensions": [_split(name, pieces, meter, customer) for name in meter.dimensions] if pieces else [],
    }


def _used_meters(customer: Customer) -> dict[Meter, tuple[date, date]]:
    """Return the meters that have counted something for the customer, by name, with their first and last day. Two queries."""
    rows = Rollup.objects.filter(customer_id=customer.pk).values("meter_id").annotate(first=Min("day"), last=Max("day"))
    spans = {row["meter_id"]: (row["first"], row["last"]) for row in rows}
    return {meter: spans[meter.pk] for meter in Meter.objects.filter(pk__in=spans).order_by("name", "pk")}


def _months(first: date, last: date) -> list[Month]:
    months = [_month_of(first)]
    while months[-1].end_day <= last:
        months.append(_month_of(months[-1].end_day))
    return months


def _month_of(day: date) -> Month:
    return Month(day.replace(day=1))


def _month_name(month: Month, customer: Customer) -> str:
    return formatting.format_month(month.first_day, customer.locale)


def _peak(days: Sequence[tuple[date, Decimal]], meter: Meter, customer: Customer) -> dict[str, str]:
    day, quantity = max(days, key=lambda pair: pair[1])
    return {"day": formatting.format_date(day, customer.locale), "quantity": _quantity(quantity, meter, customer)}


def _split(name: str, pieces: Iterable[MeteredUsage], meter: Meter, customer: Customer) -> dict[str, Any]:
    """Return the month by the values of one dimension, largest first."""
    by_value: dict[str | None, list[MeteredUsage]] = {}
    for piece in pieces:
        by_value.setdefault(piece.dimensions.get(name), []).append(piece)
    ranked = sorted(by_value.items(), key=lambda pair: (-quantity_of(meter.aggregation, pair[1]), str(pair[0])))
    groups = [(_("without a value") if value is None else value, usages) for value, usages in ranked[:_SHARES]]
    if len(ranked) > _SHARES:
        groups.append((_("all others"), [usage for _value, usages in ranked[_SHARES:] for usage in usages]))
    largest = max((quantity_of(meter.aggregation, usages) for _name, usages in groups), default=Decimal(0))
    return {
        "name": name,
        "shares": [
            {
                "name": value,
                "quantity": _quantity(quantity_of(meter.aggregation, usages), meter, customer),
                # A thousandth is finer than the bar can show.
                "permille": int(max(quantity_of(meter.aggregation, usages), Decimal(0)) * 1000 / largest) if largest > 0 else 0,
            }
            for value, usages in groups
        ],
    }


def _quantity(quantity: Decimal, meter: Meter, customer: Customer) -> str:
    number = formatting.format_decimal(quantity, customer.locale)
    return f"{number} {meter.unit}" if meter.unit else number
