"""The clock: aware, in UTC, and pinned by the environment."""

from datetime import UTC, datetime

import pytest
import time_machine

from squill.lib import clock


def test_an_instant_with_an_offset_is_read_as_utc() -> None:
    assert clock.parse_instant("2026-03-01T01:30:00+01:30") == datetime(2026, 3, 1, tzinfo=UTC)
    assert clock.parse_instant("2026-03-01T00:00:00Z").tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-03-01T00:00:00", "has no offset"),
        ("2026-03-01", "has no offset"),
        ("soon", "is not an instant"),
        ("", "is not an instant"),
        ("0001-01-01T00:00:00+14:00", "out of range"),
        ("9999-12-31T23:59:59-12:00", "out of range"),
    ],
)
def test_what_is_no_instant_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        clock.parse_instant(text)


def test_the_clock_can_be_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", "2026-03-01T00:00:00Z")
    assert clock.now() == datetime(2026, 3, 1, tzinfo=UTC)
    monkeypatch.setenv("SQUILL_NOW", "yesterday")
    with pytest.raises(ValueError, match="is not an instant"):
        clock.now()
    monkeypatch.delenv("SQUILL_NOW")
    with time_machine.travel(datetime(2027, 5, 6, 7, 8, tzinfo=UTC), tick=False):
        assert clock.now() == datetime(2027, 5, 6, 7, 8, tzinfo=UTC)
