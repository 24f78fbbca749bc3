"""Connecting to a database that sleeps, has another password, or refuses for good; no database is asked here."""

from typing import Any

import psycopg
import pytest

from squill.db.waking import connect_patiently

WAKING = "connection failed: FATAL:  the database system is starting up"
REFUSED = 'connection failed: FATAL:  password authentication failed for user "squill"'


class Server:
    """Refuses with these words, one a try, and then answers; its clock goes on by what is slept and by each try."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *refusals: str, try_seconds: float = 0) -> None:
        self.refusals = list(refusals)
        self.tries: list[dict[str, Any]] = []
        self.slept: list[float] = []
        self.now = 0.0
        self._try_seconds = try_seconds
        monkeypatch.setattr("squill.db.waking.time.monotonic", lambda: self.now)
        monkeypatch.setattr("squill.db.waking.time.sleep", self._sleep)

    def connect(self, parameters: dict[str, Any]) -> str:
        self.tries.append(parameters)
        self.now += self._try_seconds
        if self.refusals:
            raise psycopg.OperationalError(self.refusals.pop(0))
        return "connection"

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_database_that_wakes_up_in_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, *[WAKING] * 6)
    assert connect_patiently(server.connect, {}, patience_seconds=10) == "connection"
    assert len(server.tries) == 7
    # 0.1, 0.2, 0.4, 0.8, 1.6 and at most 2 seconds, each up to a half shorter.
    for slept, longest in zip(server.slept, (0.1, 0.2, 0.4, 0.8, 1.6, 2), strict=True):
        assert longest / 2 <= slept <= longest


def test_one_that_does_not_is_given_up_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, *[WAKING] * 1000)
    with pytest.raises(psycopg.OperationalError, match="starting up"):
        connect_patiently(server.connect, {}, patience_seconds=5)
    assert 5 <= server.now <= 5.1


def test_without_patience_there_is_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, WAKING)
    with pytest.raises(psycopg.OperationalError):
        connect_patiently(server.connect, {"connect_timeout": "20"}, patience_seconds=0)
    assert [each["connect_timeout"] for each in server.tries] == [20]


def test_a_try_may_take_no_longer_than_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, *["timeout expired"] * 9, try_seconds=2)
    with pytest.raises(psycopg.OperationalError):
        connect_patiently(server.connect, {"connect_timeout": "20"}, patience_seconds=5)
    assert [each["connect_timeout"] for each in server.tries] == [6, 3, 2]


@pytest.mark.parametrize(
    "words", ["no pg_hba.conf entry for host", 'database "squil" does not exist', "certificate verify failed"]
)
def test_what_is_refused_for_good_is_not_tried_again(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, words)
    with pytest.raises(psycopg.OperationalError):
        connect_patiently(server.connect, {}, patience_seconds=60)
    assert len(server.tries) == 1


def test_a_password_that_has_changed_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, REFUSED)
    found = connect_patiently(server.connect, {"password": "old"}, patience_seconds=0, new_password=lambda: "new")
    assert found == "connection"
    assert [each["password"] for each in server.tries] == ["old", "new"]
    server = Server(monkeypatch, REFUSED, REFUSED, REFUSED)
    with pytest.raises(psycopg.OperationalError):
        connect_patiently(server.connect, {"password": "old"}, patience_seconds=60, new_password=lambda: "new")
    assert len(server.tries) == 2


def test_a_wrong_password_that_is_kept_nowhere_else_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch, REFUSED)
    with pytest.raises(psycopg.OperationalError):
        connect_patiently(server.connect, {"password": "old"}, patience_seconds=60)
    assert len(server.tries) == 1
