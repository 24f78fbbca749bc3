"""Where months were put away, what is left is still checked to the last digit, and what is not is said."""

# ruff: noqa: S608 (the statements are made of constants)

import json

import pytest
from django.core.management import call_command
from pytest_django import Settings

from billing.reconciliation.report import reconcile
from tests.billing.builders import sql, triggers_off
from tests.usage.months import a_january_put_away, send
from usage.models import PutAwayMonth

pytestmark = pytest.mark.django_db

UNCHECKED = "I1, I2 2026-01: 4 events were put away on 2026-03-10; rollups are compared with what they added up to"
ROLLUP = "WHERE day = '2026-01-10' AND meter_id = (SELECT id FROM usage_meter WHERE code = 'peak')"


@pytest.fixture(autouse=True)
def _january(settings: Settings) -> None:
    a_january_put_away(settings)
    send("late", 3, "2026-01-10T06:00")
    send("conflict", 3, "2026-03-10T06:00")
    send("conflict", 4, "2026-03-10T06:00")
    send("waiting", 3, "2026-03-10T06:00", subject="stranger")


def test_books_agree_and_say_what_is_not_recomputed(capsys: pytest.CaptureFixture[str]) -> None:
    found = reconcile()

    assert (found.differences, found.unchecked) == ((), (UNCHECKED,))
    call_command("reconcile")
    assert capsys.readouterr().out == f"not recomputed: {UNCHECKED}\nThe books agree with the events.\n"
    call_command("reconcile", "--json")
    nothing: dict[str, list[str]] = {"differences": [], "pending": [], "unpriced": [], "unfinished": []}
    assert json.loads(capsys.readouterr().out) == nothing | {"unchecked": [UNCHECKED]}


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (
            f"UPDATE usage_rollup SET event_count = 4 {ROLLUP}",
            # two were put away, one came late
            "I2 rollup acme peak 2026-01-10 {}: kept events 4, max 4; counted again events 3, max 4",
        ),
        (
            f"UPDATE usage_rollup SET value_max = 3 {ROLLUP}",
            "I2 rollup acme peak 2026-01-10 {}: kept events 3, max 3; counted again events 3, max 4",
        ),
        (
            f"DELETE FROM usage_rollup {ROLLUP}",
            "I2 rollup acme peak 2026-01-10 {}: kept nothing; counted again events 3, max 4",
        ),
        (
            "DELETE FROM usage_event WHERE event_id = 'conflict'",
            # 6 of January and February, the late one, the one with a conflict, the waiting one
            "I1 8 identities were taken in, and 2 events are stored, 4 were put away, 1 wait in quarantine or were discarded",
        ),
        (
            "UPDATE usage_putawaymonth SET event_count = 5",
            "I1 8 identities were taken in, and 3 events are stored, 5 were put away, 1 wait in quarantine or were discarded",
        ),
    ],
)
def test_damage_in_a_month_put_away_is_found_and_named(damage: str, found: str) -> None:
    with triggers_off():
        sql(damage)

    assert found in reconcile().differences


def test_month_that_is_not_counted_yet_is_left_out_and_said() -> None:
    PutAwayMonth.objects.update(counted_at=None, event_count=None)
    with triggers_off():
        sql("DELETE FROM usage_putawayrollup")

    found = reconcile()

    assert found.differences == ()
    assert found.unchecked == ("I1, I2 2026-01: its events are being put away and are not counted yet",)
    with triggers_off():
        sql("UPDATE usage_rollup SET value_sum = 99 WHERE day = '2026-03-10'")
    assert len(reconcile().differences) == 2  # both meters of another month
