"""The connection on real PostgreSQL: a server that only reads, one that is away, what sessions wait for."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import InternalError, OperationalError, close_old_connections, connection
from django.test import Client
from pytest_django import Settings

from customers.api_keys import issue_api_key
from squill.aws import secrets
from squill.db.base import DatabaseWrapper
from squill.db.errors import is_away
from squill.db.limits import waiting_at_most
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, counts

pytestmark = pytest.mark.django_db(transaction=True)
EVENT = {"id": "1", "source": "app", "type": "api.call", "subject": "acme", "time": "2026-03-10T12:00:00Z"}


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def away(settings: Settings) -> Iterator[None]:
    """A database that does not answer, and is not waited for."""
    settings.SQUILL_DATABASE_WAKE_SECONDS = 0
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    yield
    connection.close()
    connection.settings_dict["HOST"] = host


def another() -> DatabaseWrapper:
    made = connection.copy()
    assert isinstance(made, DatabaseWrapper)
    return made


def setting(wrapper: Any, name: str) -> Any:
    with wrapper.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


def send(client: Client, secret: str) -> Any:
    headers = {"Authorization": f"Bearer {secret}"}
    return client.post("/api/v1/events", EVENT, content_type="application/json", headers=headers)


def test_a_connection_to_a_server_that_only_reads_any_more_is_dropped(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", NOW.isoformat())
    a_customer()
    a_meter("bytes", aggregation="count")
    _key, secret = issue_api_key(name="test", scopes=["events:write"], actor=ACTOR, now=NOW)
    before = counts()
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")  # what the old writer says after a failover

    answer = send(visitor, secret)

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "2"
    assert counts() == before
    close_old_connections()  # what the end of a request does
    assert connection.connection is None
    assert send(visitor, secret).status_code == 204


def test_a_server_that_only_reads_is_not_connected_to(settings: Settings) -> None:
    settings.SQUILL_DATABASE_WAKE_SECONDS = 0
    reader = another()
    reader.settings_dict = reader.settings_dict | {
        "OPTIONS": reader.settings_dict["OPTIONS"] | {"options": "-c default_transaction_read_only=on"}
    }
    with pytest.raises(OperationalError, match="read-only"):
        reader.ensure_connection()


def test_only_what_says_that_nobody_answers_is_away() -> None:
    with pytest.raises(OperationalError) as slow, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1; SELECT pg_sleep(1)")
    assert not is_away(slow.value)
    with pytest.raises(InternalError) as late, connection.cursor() as cursor:
        cursor.execute("SET transaction_read_only = on; CREATE TABLE never (id int)")
    assert is_away(late.value)
    assert not is_away(ValueError("no"))
    assert not is_away(None)
    connection.close()
    gone = another()
    gone.ensure_connection()
    gone.connection.pgconn.finish()
    with pytest.raises(OperationalError) as lost, gone.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert is_away(lost.value)


def test_sessions_wait_for_no_client_without_end_and_requests_for_no_statement() -> None:
    job = another()
    assert setting(job, "statement_timeout") == "0"
    assert setting(job, "idle_in_transaction_session_timeout") == "5min"
    job.close()
    with waiting_at_most(patience_seconds=1, statement_seconds=25):
        request = another()
        assert setting(request, "statement_timeout") == "25s"
        request.close()


def test_a_password_that_is_kept_is_used_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = another()
    monkeypatch.setitem(wrapper.settings_dict, "PASSWORD", "old")
    account = secrets.Account(wrapper.settings_dict["USER"], "old")
    monkeypatch.setattr(secrets, "database_account", lambda: account)
    kept = ["new", "new"]
    monkeypatch.setattr(secrets, "database_password", lambda *, refresh: kept.pop() if refresh else "old")
    assert wrapper._new_password() == "new"
    assert wrapper.settings_dict["PASSWORD"] == "new"
    assert wrapper._new_password() is None  # it is the one that was refused
    wrapper.settings_dict["USER"] = "the owner of the tables"
    kept.append("newer")
    assert (wrapper._new_password(), wrapper.settings_dict["PASSWORD"]) == (None, "new")


@pytest.mark.parametrize("path", ["/portal/", "/admin/billing/invoice/"])
def test_pages_say_that_we_are_waking_up_and_load_again_by_themselves(path: str, visitor: Client, away: None) -> None:
    visitor.cookies["sessionid"] = "known-before-it-slept"
    answer = visitor.get(path, follow=False)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2"), answer.content
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.content.decode()
    assert "waking up" in page
    assert '<meta http-equiv="refresh" content="2">' in page


def test_what_was_posted_is_not_posted_again_by_itself(visitor: Client, away: None) -> None:
    answer = visitor.post("/portal/sign-in", {"email": "ann@acme.example"})
    assert answer.status_code == 503
    assert "http-equiv" not in answer.content.decode()
    assert "has not been taken" in answer.content.decode()


def test_programs_get_a_problem_and_load_balancers_know(visitor: Client, request: pytest.FixtureRequest) -> None:
    _key, secret = issue_api_key(name="test", scopes=["events:write"], actor=ACTOR, now=NOW)
    request.getfixturevalue("away")
    answer = send(visitor, secret)
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
    assert answer.headers["Retry-After"] == "2"
    ready = visitor.get("/readyz")
    assert (ready.status_code, ready.json()["database"], ready.headers["Retry-After"]) == (503, "no answer", "2")
    assert visitor.get("/healthz").status_code == 200  # asks nothing of the database
