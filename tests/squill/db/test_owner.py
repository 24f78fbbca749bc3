"""The owner of the tables migrates and takes months out; the application has a role of its own that owns none (I5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from typing import Any

import pytest
from django.db import DatabaseError, connection

from squill import entrypoints
from squill.aws import secrets
from squill.db import owner

pytestmark = pytest.mark.django_db(transaction=True)
ROLE = f"squill_migrated_{getpid()}"


class Context:
    """Lambda's, at the beginning of a function."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, secrets.Account | None]]:
    """What Secrets Manager keeps: the owner is whoever made this database."""
    kept: dict[str, secrets.Account | None] = {
        "owner": secrets.Account(connection.settings_dict["USER"], connection.settings_dict["PASSWORD"]),
        "application": secrets.Account(ROLE, "first"),
    }
    monkeypatch.setattr(secrets, "owner_account", lambda: kept["owner"])
    monkeypatch.setattr(secrets, "database_account", lambda *, refresh=False: kept["application"])
    yield kept
    ask("RESET ROLE")
    if ask("SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE):
        ask(f"DROP OWNED BY {ROLE}")
        ask(f"DROP ROLE {ROLE}")


@contextmanager
def signed_in_as_the_application() -> Iterator[None]:
    """Whoever is signed in could neither migrate nor take a month out, and is signed in again afterwards."""
    connection.close()
    connection.settings_dict["USER"], before = ROLE, connection.settings_dict["USER"]
    try:
        yield
        assert connection.settings_dict["USER"] == ROLE
    finally:
        connection.close()
        connection.settings_dict["USER"] = before


def ask(statement: str, *values: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def test_the_owner_migrates_and_the_application_gets_a_role_that_owns_nothing(accounts: dict[str, Any]) -> None:
    owns = accounts["owner"].username
    with signed_in_as_the_application():
        assert entrypoints.migrate({}, Context())["tables"] > 40
    assert ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == [(owns,)]
    ask(f"SET ROLE {ROLE}")
    assert ask("SELECT count(*) FROM billing_invoice") == [(0,)]
    with pytest.raises(DatabaseError, match=r"must be owner|permission denied"):
        ask("DROP TABLE billing_invoice")


def test_a_new_password_of_the_secret_holds_after_the_next_migration(accounts: dict[str, Any]) -> None:
    owner.migrate()
    first = ask("SELECT rolpassword FROM pg_authid WHERE rolname = %s", ROLE)
    accounts["application"] = secrets.Account(ROLE, "second")
    owner.migrate()
    second = ask("SELECT rolpassword FROM pg_authid WHERE rolname = %s", ROLE)
    assert first != second
    assert second[0][0].startswith("SCRAM-SHA-256$")


def test_months_are_put_away_by_the_owner(accounts: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    who: list[Any] = []

    def put_away_due(**_facts: Any) -> list[Any]:
        who.extend(ask("SELECT current_user::text"))
        return []

    monkeypatch.setattr(entrypoints, "put_away_due", put_away_due)
    with signed_in_as_the_application():
        entrypoints.put_away({}, Context())
    assert who == [(accounts["owner"].username,)]


def test_without_an_owner_of_its_own_the_account_at_hand_migrates_and_no_role_is_made(accounts: dict[str, Any]) -> None:
    accounts["owner"] = None
    assert entrypoints.migrate({}, Context()) == {"tables": 0}
    assert ask("SELECT 1 FROM pg_roles WHERE rolname = %s", ROLE) == []
