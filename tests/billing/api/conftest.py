import pytest

NOW = "2026-02-10T12:00:00Z"


@pytest.fixture(autouse=True)
def _pinned_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls of every test are made on 10 February 2026, at noon."""
    monkeypatch.setenv("SQUILL_NOW", NOW)
