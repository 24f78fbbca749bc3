import sys

import pytest

import manage
from squill import postgres


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["migrate"], True),
        (["run_billing", "--as-of", "2024-10-03T00:00:00Z"], True),
        (["runserver"], True),
        (["postgres", "status"], False),
        (["calculate", "prices.json"], False),
        (["run_billing", "--help"], False),
        (["help", "run_billing"], False),
        (["--version"], False),
        ([], False),
    ],
)
def test_commands_that_open_the_database_start_the_embedded_server(
    arguments: list[str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert manage.needs_embedded_server(arguments) is expected


def test_a_database_of_ones_own_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/squill")
    assert manage.needs_embedded_server(["migrate"]) is False


def test_a_server_that_does_not_start_ends_the_command_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> postgres.Server:
        raise postgres.PostgresError("No PostgreSQL was found")

    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate"])
    monkeypatch.setattr(postgres, "ensure_running", fail)
    with pytest.raises(SystemExit, match="No PostgreSQL was found"):
        manage.main()
