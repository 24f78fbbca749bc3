from datetime import UTC, date, datetime
from itertools import groupby

from billing.management.demo.cast import load_cast
from billing.management.demo.usage import usage_of

CAST = load_cast().players
TIDEPOOL = next(player for player in CAST if player.external_id == "tidepool")
FIRST = date(2026, 6, 1)
START = datetime(2026, 6, 1, tzinfo=UTC)
END = datetime(2026, 9, 1, tzinfo=UTC)


def requests_by_day() -> dict[date, int]:
    events = usage_of(TIDEPOOL, first_day=FIRST, start=START, end=END, seed=1)
    counted = [
        (event.occurred_at.date(), event.data["requests"])
        for event in events
        if event.occurred_at is not None and event.event_type == "api.requests"
    ]
    return {day: sum(requests for _day, requests in group) for day, group in groupby(counted, key=lambda pair: pair[0])}


def test_the_same_seed_makes_the_same_events() -> None:
    first = list(usage_of(TIDEPOOL, first_day=FIRST, start=START, end=END, seed=1))
    assert first == list(usage_of(TIDEPOOL, first_day=FIRST, start=START, end=END, seed=1))
    assert first != list(usage_of(TIDEPOOL, first_day=FIRST, start=START, end=END, seed=2))


def test_a_span_in_two_parts_has_the_events_of_the_whole() -> None:
    middle = datetime(2026, 7, 9, 13, tzinfo=UTC)
    parts = [
        event.event_id
        for start, end in ((START, middle), (middle, END))
        for event in usage_of(TIDEPOOL, first_day=FIRST, start=start, end=end, seed=1)
    ]
    whole = [event.event_id for event in usage_of(TIDEPOOL, first_day=FIRST, start=START, end=END, seed=1)]
    assert parts == whole
    assert len(set(whole)) == len(whole)


def test_weekends_are_quieter_and_usage_grows() -> None:
    by_day = requests_by_day()
    june = [count for day, count in by_day.items() if day.month == 6]
    august = [count for day, count in by_day.items() if day.month == 8]
    weekend = [count for day, count in by_day.items() if day.weekday() >= 5]
    assert sum(august) // len(august) > sum(june) // len(june)
    assert max(weekend) < sum(by_day.values()) // len(by_day)


def test_the_cast_is_a_dozen_companies_in_several_zones_currencies_and_languages() -> None:
    assert len(CAST) >= 12
    assert {player.plan for player in CAST} == {"api-scale", "stream", "studio", "team"}
    assert {player.currency for player in CAST} == {"EUR", "USD"}
    assert {player.habit for player in CAST} == {"prompt", "slow", "stopped"}
    assert len({player.timezone for player in CAST}) >= 8
