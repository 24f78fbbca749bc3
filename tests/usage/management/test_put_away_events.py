import json

import pytest
from django.core.management import call_command
from pytest_django import Settings

from squill.lib import clock
from tests.usage.builders import NOW, counts
from tests.usage.months import a_january, send
from usage.models import PutAwayMonth

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _january(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv(clock.PINNED_CLOCK_VARIABLE, NOW.isoformat())
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 1
    a_january()


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("put_away_events", *arguments)
    return capsys.readouterr().out


def test_command_says_what_it_did_to_each_month(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys) == "2026-01 is put away: 4 events, in the table usage_event_2026_01_put_away\n"
    assert told(capsys) == "No month is due.\n"


def test_command_says_what_holds_a_month(capsys: pytest.CaptureFixture[str]) -> None:
    send("x", 1, "2026-01-05T00:00", subject="stranger")
    send("y", 1, "2026-01-05T00:00", subject="stranger")

    assert told(capsys) == "2026-01 is held:\n  2 events of it wait in quarantine\n"

    assert PutAwayMonth.objects.count() == 0


def test_dry_run_only_says_what_would_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    before = counts()

    assert told(capsys, "--dry-run") == "2026-01 would be put away\n"

    assert counts() == before
    assert PutAwayMonth.objects.count() == 0


def test_json_holds_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    due: dict[str, object] = {"month": "2026-01", "outcome": "due", "events": None, "table": None, "held_by": []}
    assert json.loads(told(capsys, "--json", "--dry-run")) == {"retention_months": 1, "months": [due]}
    done = due | {"outcome": "put_away", "events": 4, "table": "usage_event_2026_01_put_away"}
    assert json.loads(told(capsys, "--json")) == {"retention_months": 1, "months": [done]}


def test_command_says_that_retention_is_off(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 0

    assert told(capsys) == "SQUILL_EVENTS_RETENTION_MONTHS is 0: events are kept for ever.\n"
    assert json.loads(told(capsys, "--json")) == {"retention_months": 0, "months": []}
