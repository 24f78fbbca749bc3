from collections.abc import Iterator

import pytest
from django.db import connection

from usage.ingestion import partitions


@pytest.fixture
def no_known_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which partitions exist, as a new process would."""
    monkeypatch.setattr(partitions, "_known", set())


@pytest.fixture
def no_put_away_tables(transactional_db: None) -> Iterator[None]:
    """Drop what a test with real transactions has put away; the clean-up of Django does not know these tables."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'usage_event_%_put_away'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {table}")
