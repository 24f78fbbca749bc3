import pytest

from usage.ingestion import partitions


@pytest.fixture
def no_known_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget which partitions exist, as a new process would."""
    monkeypatch.setattr(partitions, "_known", set())
