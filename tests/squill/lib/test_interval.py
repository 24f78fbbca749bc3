"""Half-open spans: the start is in, the end is out."""

from datetime import UTC, datetime

import pytest

from squill.lib.interval import Interval


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def test_the_start_is_in_and_the_end_is_out() -> None:
    span = Interval(day(1), day(3))
    assert [day(number) in span for number in (1, 2, 3)] == [True, True, False]


def test_spans_that_only_touch_do_not_overlap() -> None:
    assert not Interval(day(1), day(3)).overlaps(Interval(day(3), day(5)))
    assert Interval(day(1), day(4)).overlaps(Interval(day(3), day(5)))
    assert Interval(day(1), day(9)).overlaps(Interval(day(3), day(5)))


def test_empty_and_naive_spans_are_refused() -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Interval(day(2), day(2))
    with pytest.raises(ValueError, match="must end after it starts"):
        Interval(day(3), day(2))
    with pytest.raises(ValueError, match="aware bounds"):
        Interval(datetime(2026, 1, 1), day(2))  # noqa: DTZ001 (naive on purpose)
