from collections.abc import Iterator

import pytest
from django.db import connection

from tests.usage.builders import USAGE_TABLES
from usage.ingestion import partitions


@pytest.fixture(autouse=True)
def _leave_no_usage(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that commits, empty the tables that Django does not manage and therefore does not flush."""
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = (marker is not None and marker.kwargs.get("transaction")) or "live_server" in request.fixturenames
    if commits:
        with request.getfixturevalue("django_db_blocker").unblock(), connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(USAGE_TABLES)}")


@pytest.fixture
def no_known_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which partitions exist, as a new process would."""
    monkeypatch.setattr(partitions, "_known", set())
