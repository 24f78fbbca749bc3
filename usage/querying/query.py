"""
Answer a question about a meter, from rollups where they know, and else from raw events.

Rollups know whole days of the customer's own time zone, over all its subjects. Whatever is finer, cut off, in another time
zone or split by subject is read from the customer's events by the index over (customer, time), and counted by the rules by
which it was counted when it came in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from squill.lib.decimals import exact
from usage.models import Meter
from usage.querying import levels, spans
from usage.querying.questions import MOST_ROWS, Group, MeterQuery, TooMuch, UsageRow, sortable
from usage.querying.reading import from_events, from_rollups
from usage.querying.windows import midnight, window_of
from usage.rollups.rules import Number
from usage.rollups.totals import FOLDS, Latest, Total, merge
from usage.selectors import MeteredUsage, quantity_of

type _Row = tuple[datetime, datetime, Group]


@dataclass(slots=True)
class _Sum:
    """What one row is made of, taken from events and rollups alike."""

    total: Total = field(default_factory=Total)
    items: set[str] = field(default_factory=set)

    def usage(self, meter_id: int) -> MeteredUsage:
        total = self.total
        return MeteredUsage(
            meter_id=meter_id,
            dimensions={},
            event_count=total.event_count,
            value_sum=_decimal(total.value_sum),
            value_min=_decimal(total.value_min),
            value_max=_decimal(total.value_max),
            latest=total.latest and Latest(total.latest.at, total.latest.event, Decimal(total.latest.value)),
            items=frozenset(self.items),
        )


def _decimal(number: Number | None) -> Decimal | None:
    return None if number is None else Decimal(number)


@transaction.atomic
def usage_rows(query: MeterQuery) -> list[UsageRow]:
    """
    Return the usage asked for, by window and then by groups; windows without usage are left out.

    The first and the last window are cut to the instants asked for. Reads only.

    :raises TooMuch: if there are more than 10,000 rows, or if more than 200,000 raw events would have to be read
    :raises EventsPutAway: if raw events of a month that was put away would have to be read
    """
    customers = spans.counted(meter_id=query.meter.pk, customer_ids=query.customer_ids)
    if not customers:
        return []
    whole = query.start or min(each.start for each in customers), query.end or max(each.end for each in customers)
    if whole[0] >= whole[1]:
        return []
    if query.meter.aggregation == Meter.Aggregation.WEIGHTED_SUM:
        return levels.rows(query, customers, whole)
    sums: dict[_Row, _Sum] = {}
    parts = _parts(query, [cut for each in customers if (cut := each.between(*whole))])
    with exact():
        for each in from_rollups(query, [part for part in parts if part.days]):
            window = whole if each.day is None else _window(query, midnight(each.day, query.zone), whole)
            found = _sum(sums, (*window, each.group))
            found.items.update(each.items)
            merge(found.total, each.total)
        fold = FOLDS[query.meter.aggregation]
        for event in from_events(query, [part for part in parts if not part.days]):
            found = _sum(sums, (*_window(query, event.moment.occurred_at, whole), event.group))
            found.total.event_count += 1
            if event.item is not None:
                found.items.add(event.item)
            if fold is not None:
                fold(found.total, event.value, event.moment)
    return [
        UsageRow(start, end, dict(zip(query.group_by, group, strict=True)), _quantity(query.meter, found))
        for (start, end, group), found in sorted(sums.items(), key=lambda item: (item[0][0], sortable(item[0][2])))
    ]


def _quantity(meter: Meter, found: _Sum) -> Decimal:
    return quantity_of(meter.aggregation, [found.usage(meter.pk)])


def _parts(query: MeterQuery, customers: Sequence[spans.Counted]) -> list[spans.Part]:
    """Cut what is asked of each customer into whole days, where rollups can answer, and instants of raw events."""
    in_rollups = spans.known_to_rollups(query, customers)
    found: list[spans.Part] = []
    for customer in customers:
        if customer.customer_id in in_rollups and spans.are_of_days(query, customer):
            found += spans.parts(customer)
        else:
            found.append(spans.Part(customer.customer_id, customer.start, customer.end))
    return found


def _window(query: MeterQuery, instant: datetime, whole: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    if query.window_size is None:
        return whole
    start, end = window_of(instant, query.window_size, query.zone)
    return max(start, whole[0]), min(end, whole[1])


def _sum(sums: dict[_Row, _Sum], row: _Row) -> _Sum:
    found = sums.get(row)
    if found is None:
        if len(sums) >= MOST_ROWS:
            raise TooMuch(events=False)
        found = sums[row] = _Sum()
    return found
