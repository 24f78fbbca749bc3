from datetime import UTC, datetime, timedelta, timezone

from usage.admin.comparing import Content, indented, side_by_side

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_equal_events_differ_in_nothing_however_they_are_written() -> None:
    first = Content("test", "1", "acme", "api.call", AT, '{"b": 1, "a": 0.10}')
    second = first._replace(data='{"a":0.10,"b":1}', occurred_at=AT.astimezone(timezone(timedelta(hours=2))))

    assert [row.label for row in side_by_side(first, second) if row.differs] == []


def test_rows_say_what_differs() -> None:
    first = Content("test", "1", "acme", "api.call", AT, '{"bytes": 5}')
    second = first._replace(subject="bolt", data='{"bytes": 50}')

    rows = {row.label: (row.first, row.second) for row in side_by_side(first, second) if row.differs}

    assert rows == {"Subject": ("acme", "bolt"), "Data": ('{\n  "bytes": 5\n}', '{\n  "bytes": 50\n}')}


def test_numbers_stay_as_they_are_written() -> None:
    assert indented('{"n": 0.10000000000000000001}') == '{\n  "n": 0.10000000000000000001\n}'
