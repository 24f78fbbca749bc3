import threading
import time
from pathlib import Path

import pytest

from squill.postgres import waiting


def test_waits_as_long_as_it_takes_and_says_so_meanwhile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", sleep)
    waiting.wait_until(lambda: clock[0] > 125, telling="Recovering")
    # Every 10 seconds of 125: at 10, 20 … 120 s.
    notices = capsys.readouterr().err.splitlines()
    assert len(notices) == 12
    assert notices[0] == "Recovering (10 s so far)"
    assert notices[-1].startswith("Recovering (12")


def test_what_is_already_done_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    waiting.wait_until(lambda: True, telling="Never said")
    assert capsys.readouterr().err == ""


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    order: list[str] = []
    lock = tmp_path / "lock"

    def second() -> None:
        with waiting.exclusive(lock):
            order.append("second")

    waiter = threading.Thread(target=second)
    with waiting.exclusive(lock):
        waiter.start()
        waiter.join(timeout=0.2)
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]
