"""A process can be made to die at a named point, at the n-th passing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PROGRAM = """
from squill.lib.failpoints import passing
for n in range(4):
    passing("here")
    print(n, flush=True)
    passing("there")
"""


def run(failpoint: str) -> tuple[int, str]:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=CHECKOUT,
        env={"SQUILL_FAILPOINT": failpoint},
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode, process.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("failpoint", "status", "printed"),
    [
        ("", 0, "0123"),
        ("elsewhere", 0, "0123"),
        ("here", -signal.SIGKILL, ""),
        ("here:3", -signal.SIGKILL, "01"),
        ("there:2", -signal.SIGKILL, "01"),
        ("here:9", 0, "0123"),
    ],
)
def test_the_process_dies_at_the_point_that_is_named(failpoint: str, status: int, printed: str) -> None:
    assert run(failpoint) == (status, printed)


def test_production_refuses_to_start_with_a_failpoint() -> None:
    environment = {
        "SQUILL_PRODUCTION": "true",
        "SQUILL_SECRET_KEY": "k" * 50,
        "DATABASE_URL": "postgresql://x@/x",
        "SQUILL_FAILPOINT": "here",
    }
    process = subprocess.run(
        [sys.executable, "-c", "import squill.settings"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert "SQUILL_FAILPOINT is for tests and demos" in process.stderr
