"""The worked examples of ADR 0016: a level is billed by its average over the period, an average by all values of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from billing.catalog.apply import apply_catalog
from billing.catalog.document import read_catalog
from billing.reconciliation.report import reconcile
from tests.golden.books import ACTOR, bill, day, lines_of, subscribe
from usage.corrections import void_event
from usage.ingestion import incoming_event, ingest

pytestmark = pytest.mark.django_db


def _sell(meter: str, price: str) -> None:
    text = f"meters: [{{code: m, name: M, event_type: change, {meter}}}]\n"
    text += f"plans: [{{code: api, name: API, currency: EUR, charges: [{{code: m, meter: m, {price}}}]}}]\n"
    apply_catalog(spec=read_catalog(text), actor=ACTOR, now=day(1, 1))


def _send(event_id: str, value: Any, at: datetime, **data: Any) -> None:
    event = incoming_event(
        source="tests", event_id=event_id, event_type="change", subject="acme", occurred_at=at, data={"n": value} | data
    )
    ingest([event], now=at)


def _instant(month: int, day_of_month: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day_of_month, hour, tzinfo=UTC)


def test_seats_are_billed_by_the_time_they_were_held() -> None:
    _sell("aggregation: weighted_sum, value: n", 'model: per_unit, unit_amount: "4.00"')
    subscribe()
    _send("ten", 10, _instant(1, 1))
    _send("five", 5, _instant(1, 16, 12))

    # 10 for 31 days and 5 more for 15.5 of them: 10 + 5 * 15.5 / 31 = 12.5; 12.5 * 4.00 = 50.00
    assert lines_of(bill(day(2, 1))) == [("usage", "m", 1, "12.5", 5000)]
    # Nothing happens in February, and 15 seats go on: 15 * 4.00 = 60.00
    assert lines_of(bill(day(3, 1))) == [("usage", "m", 2, "15", 6000)]

    _send("all", -15, _instant(3, 1))
    # A level of 0 from the first instant of March on: nothing to pay.
    assert [line[3:] for line in lines_of(bill(day(4, 1)))] in ([], [("0", 0)])
    assert reconcile().differences == ()


def test_change_that_comes_late_moves_the_periods_since() -> None:
    _sell("aggregation: weighted_sum, value: n", 'model: per_unit, unit_amount: "4.00"')
    subscribe()
    _send("ten", 10, _instant(1, 1))
    # 10 * 4.00 = 40.00
    assert lines_of(bill(day(2, 1))) == [("usage", "m", 1, "10", 4000)]

    event = incoming_event(
        source="tests", event_id="late", event_type="change", subject="acme", occurred_at=_instant(1, 16, 12), data={"n": 5}
    )
    ingest([event], now=_instant(2, 20))

    # February: 15 * 4.00 = 60.00. January is 12.5 by now, of which 10 are billed: 2.5 * 4.00 = 10.00
    assert lines_of(bill(day(3, 1))) == [("usage", "m", 2, "15", 6000), ("adjustment", "m", 1, "2.5", 1000)]
    assert reconcile().differences == ()

    void_event(source="tests", event_id="late", reason="never happened", actor=ACTOR, now=_instant(3, 20))
    # March: 10 * 4.00 = 40.00. January gives back 2.5 * 4.00 = 10.00, and February 5 * 4.00 = 20.00
    march = bill(day(4, 1))
    assert lines_of(march) == [
        ("usage", "m", 3, "10", 4000), ("adjustment", "m", 1, "-2.5", -1000), ("adjustment", "m", 2, "-5", -2000)
    ]  # fmt: skip
    assert march.due_minor == 1000
    assert reconcile().differences == ()
    assert [said for said in reconcile().pending if said.startswith("I3")] == []


def test_average_is_that_of_all_values_of_the_period() -> None:
    _sell(
        "aggregation: average, value: n, dimensions: [region], filters: {test: {exists: false}}",
        'model: per_unit, unit_amount: "0.30"',
    )
    subscribe()
    _send("one", "10", _instant(1, 5), region="eu")
    _send("two", "20", _instant(1, 5), region="us")
    _send("three", "40", _instant(1, 20))
    _send("test", "1000", _instant(1, 20), test=True)

    # (10 + 20 + 40) / 3 = 23.333333333333, not the average of the averages of days; 23.333333333333 * 0.30 = 7.00
    assert lines_of(bill(day(2, 1))) == [("usage", "m", 1, "23.333333333333", 700)]
    assert reconcile().differences == ()
