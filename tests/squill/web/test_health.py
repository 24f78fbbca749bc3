import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client


def test_the_process_answers_without_a_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.django_db
def test_ready_with_every_migration(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "database": "ok", "migrations_missing": 0})


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="customers", name="0004_tax_rate_may_be_left_to_the_rules").delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations_missing"] >= 1


def test_not_ready_while_the_database_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(MigrationExecutor, "__init__", refuse)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "unavailable", "database": "no answer"})


def test_only_safe_methods_are_answered(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
