import gzip
import io
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.usage.builders import a_customer, a_meter, counts, kept, recomputed, rollups
from usage.ingestion import ingest
from usage.models import Event, EventKey

pytestmark = pytest.mark.django_db

CHECKOUT = Path(__file__).resolve().parents[3]
NOTHING = {"event": 0, "eventkey": 0, "rollup": 0, "quarantinedevent": 0}


def _event(number: int, **changes: Any) -> dict[str, Any]:
    event = {
        "id": str(number),
        "source": "file",
        "type": "api.call",
        "subject": "acme",
        "time": f"2026-03-{number % 28 + 1:02d}T10:00:00Z",
        "data": {"bytes": f"0.{number}"},
    }
    return {name: value for name, value in (event | changes).items() if value is not None}


def _ndjson(*events: Any) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def _load(*arguments: str) -> str:
    output = io.StringIO()
    call_command("load_events", *arguments, stdout=output)
    return output.getvalue().strip()


def _refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        _load(*arguments)
    assert counts() == NOTHING
    return str(caught.value)


@pytest.fixture
def cast() -> None:
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.ndjson"


def test_file_is_loaded_in_batches_and_again_without_harm(cast: None, file: Path) -> None:
    file.write_bytes(
        _ndjson(*[_event(number) for number in range(25)], _event(1), _event(2, data={}), _event(99, subject="nobody"))
    )
    # 25 events, one of them twice; one id again with other content; one of nobody.
    first = {"events": 28, "accepted": 25, "duplicates": 1, "quarantined": {"conflict": 1, "unknown_subject": 1}}

    assert json.loads(_load(str(file), "--batch-size", "10", "--json")) == first
    before = kept()
    assert before == recomputed()

    again = {"events": 28, "accepted": 0, "duplicates": 27, "quarantined": {"conflict": 1}}
    assert json.loads(_load(str(file), "--json")) == again
    assert kept() == before
    assert counts() | {"rollup": 0} == {"event": 25, "eventkey": 26, "quarantinedevent": 2, "rollup": 0}


def test_summary_is_told_in_words(cast: None, file: Path) -> None:
    file.write_bytes(_ndjson(_event(1), _event(2, data={})))

    assert _load(str(file)) == "2 events: 1 accepted, 0 duplicates, 1 in quarantine (unusable_value 1)"


def test_broken_lines_are_named_with_their_field_and_nothing_is_stored(cast: None, file: Path) -> None:
    good = _ndjson(*[_event(number) for number in range(5)])
    file.write_bytes(good + b"\n" + _ndjson(_event(6, time="noon", id=None)) + b"{broken\n" + b'{"id": 1, "id": 2}\n')

    assert _refusal(str(file), "--batch-size", "2").splitlines() == [
        "line 7: id: is missing: write a text of 1 to 255 characters",
        "line 7: time: must be an instant with its offset, such as 2026-03-01T12:30:00Z",
        "line 8: not valid JSON: object keys must be strings (byte 1)",
        "line 9: id: is given twice: leave one out",
        "Nothing was stored.",
    ]


def test_hopeless_file_is_given_up_early(cast: None, file: Path) -> None:
    file.write_bytes(_ndjson(*[_event(number) for number in range(3)]) + _ndjson(*[{}] * 50 + [_event(9)]))

    message = _refusal(str(file))

    assert message.count("line ") == 20
    assert message.endswith("there may be more\nNothing was stored.")


def test_line_that_is_too_long_is_refused(cast: None, file: Path, settings: Any) -> None:
    settings.SQUILL_EVENTS_MAX_BYTES = 2000
    file.write_bytes(_ndjson(_event(1)) + b"x" * 3000)

    assert _refusal(str(file)).startswith("line 2: has more than 2000 bytes (SQUILL_EVENTS_MAX_BYTES)")


def test_csv_is_the_same_as_ndjson(cast: None, tmp_path: Path) -> None:
    table = (
        "id,source,type,subject,time,data.bytes,data.where.region\r\n"
        "1,file,api.call,acme,2026-03-01T10:00:00Z,0.0000001453,eu\r\n"
        '2,file,api.call,acme,,7,"two\r\nlines, and ""quotes"""\r\n'
        "3,file,api.call,acme,2026-03-01T10:00:00Z,2,\r\n"
    )
    file = tmp_path / "events.csv"
    file.write_bytes(b"\xef\xbb\xbf" + table.encode())

    assert json.loads(_load(str(file), "--json"))["accepted"] == 3

    data = {event_id: json.loads(text) for event_id, text in Event.objects.values_list("event_id", "data")}
    assert data == {
        "1": {"bytes": "0.0000001453", "where": {"region": "eu"}},
        "2": {"bytes": "7", "where": {"region": 'two\r\nlines, and "quotes"'}},
        "3": {"bytes": "2"},
    }
    # 0.0000001453 + 7 + 2
    assert sum(rollup[5] for rollup in rollups()) == Decimal("9.0000001453")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("id,source,type\n1,a,b\n", "line 1: subject: is a column that every file needs"),
        ("id,source,type,subject,colour\n", "line 1: colour: is no known column"),
        ("id,id,source,type,subject\n", "line 1: id: is a column twice"),
        ("id,source,type,subject,data.a,data.a.b\n", "line 1: data.a.b: lies inside another column"),
        ("id,source,type,subject,data.\n", "line 1: data.: is no known column"),
        ("id,source,type,subject\n1,a,b\n", "line 2: has 3 cells, the header has 4"),
        ('id,source,type,subject\n1,a,b,"c\nd"\n2,a,b,\n', "line 2: subject: holds a character that cannot be printed"),
        ("id,source,type,subject\n1,a,b,c\n\n2,a,b,\n", "line 4: subject: is missing"),
        ('id,source,type,subject\n1,a,b,"c\n', "line 2: not valid CSV: unexpected end of data"),
        ("id,source,type,subject\n1,a,b,\udcff\n", "line 2: the text is not UTF-8"),
    ],
)
def test_broken_csv_names_line_and_column(cast: None, tmp_path: Path, table: str, message: str) -> None:
    file = tmp_path / "events.csv"
    file.write_bytes(table.encode(errors="surrogateescape"))

    assert message in _refusal(str(file))


def test_gzipped_file_is_unpacked(cast: None, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(gzip.compress(_ndjson(_event(1))))

    assert json.loads(_load(str(file), "--json"))["accepted"] == 1


def test_gzip_that_is_cut_off_is_refused(cast: None, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(gzip.compress(_ndjson(*[_event(number) for number in range(100)]))[:-20])

    assert str(file) in _refusal(str(file))


def test_standard_input_is_read(cast: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(_ndjson(_event(1), _event(2)))))

    assert json.loads(_load("-", "--json"))["accepted"] == 2


def test_file_that_changes_while_it_is_loaded_is_told(cast: None, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from usage.management.commands import load_events  # noqa: PLC0415 (patched here alone)

    file.write_bytes(_ndjson(_event(1)))
    check = load_events._check

    def check_and_change(*arguments: Any) -> int:
        count = check(*arguments)
        file.write_bytes(_ndjson(_event(1), {}))
        return count

    monkeypatch.setattr(load_events, "_check", check_and_change)

    with pytest.raises(CommandError, match="the file changed while it was loaded; load it again"):
        _load(str(file))


def test_missing_file_and_bad_batch_size_are_refused(file: Path) -> None:
    assert "No such file" in _refusal(str(file))
    assert "--batch-size must be 1 to 10000" in _refusal(str(file), "--batch-size", "0")


def test_empty_file_loads_nothing(file: Path) -> None:
    file.write_bytes(b"\n")

    assert _load(str(file)) == "0 events: 0 accepted, 0 duplicates, 0 in quarantine"


def _load_elsewhere(database_url: str, home: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    variables = os.environ | {"DATABASE_URL": database_url, "SQUILL_HOME": str(home)} | environment
    command = [sys.executable, "manage.py", "load_events", *arguments, "--batch-size", "10"]
    return subprocess.run(command, cwd=CHECKOUT, env=variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("failpoint", ["load-before-note:1", "load-before-note:3"])
def test_load_that_was_killed_goes_on_and_makes_the_same_books(
    cast: None, tmp_path: Path, database_url: str, failpoint: str
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(_ndjson(*[_event(number) for number in range(45)]))

    killed = _load_elsewhere(database_url, tmp_path, str(file), SQUILL_FAILPOINT=failpoint)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    batches = int(failpoint[-1])
    assert counts()["event"] == 10 * batches  # the batch in which it died is stored, and not noted

    resumed = _load_elsewhere(database_url, tmp_path, str(file), "--resume", "--json")
    # Noted are the batches before; the one after them comes again, as duplicates.
    assert json.loads(resumed.stdout) == {"events": 45, "accepted": 35, "duplicates": 10, "quarantined": {}}
    assert counts() | {"rollup": 0} == {"event": 45, "eventkey": 45, "rollup": 0, "quarantinedevent": 0}
    assert kept() == recomputed()
    assert list((tmp_path / "loads").iterdir()) == []


def test_resume_skips_what_is_stored_without_reading_its_fate_again(
    cast: None, file: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from usage.management.commands import load_events  # noqa: PLC0415 (patched here alone)

    settings.SQUILL_HOME = file.parent
    file.write_bytes(_ndjson(*[_event(number) for number in range(25)]))
    batches: list[int] = []

    def ingest_until_full(events: Any, **rest: Any) -> Any:
        if len(batches) == 2:
            raise OSError("no space left")
        batches.append(len(events))
        return ingest(events, **rest)

    monkeypatch.setattr(load_events, "ingest", ingest_until_full)
    with pytest.raises(CommandError, match="no space left"):
        _load(str(file), "--batch-size", "10")
    monkeypatch.setattr(load_events, "ingest", ingest)

    told = _load(str(file), "--resume").splitlines()

    assert told == ["20 events were loaded before", "25 events: 25 accepted, 0 duplicates, 0 in quarantine"]
    assert counts()["event"] == 25


def test_note_of_another_database_or_an_older_file_is_not_believed(cast: None, file: Path, settings: Any) -> None:
    from usage.ingestion.progress import Note  # noqa: PLC0415 (beside its only user)

    settings.SQUILL_HOME = file.parent
    file.write_bytes(_ndjson(*[_event(number) for number in range(3)]))
    note = Note(file.parent, file, "ndjson")
    note.write(count=3, done=2, last_key="0" * 32, totals={})  # no such event is in this database
    assert json.loads(_load(str(file), "--resume", "--json"))["accepted"] == 3

    stored = EventKey.objects.order_by("key").first()
    assert stored is not None
    note.write(count=3, done=2, last_key=stored.key.hex, totals={})
    file.write_bytes(_ndjson(*[_event(number) for number in range(4)]))
    assert json.loads(_load(str(file), "--resume", "--json")) == {"events": 4, "accepted": 1, "duplicates": 3, "quarantined": {}}


def test_standard_input_cannot_be_resumed() -> None:
    assert "--resume needs a file" in _refusal("-", "--resume")
