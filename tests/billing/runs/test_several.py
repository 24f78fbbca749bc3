"""Several runs at once, and runs that die: the books are byte for byte those of one quiet run."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.db import transaction

from billing.models import Invoice
from billing.reconciliation.report import reconcile
from tests.billing.builders import bill, books
from tests.billing.runs.worlds import small_company
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

CHECKOUT = Path(__file__).resolve().parents[3]
AS_OF = "2026-04-01"


def quiet_books() -> str:
    """What one run makes of the small company; nothing of it stays."""
    with transaction.atomic():
        small_company()
        bill(AS_OF)
        found = books()
        transaction.set_rollback(True)
    return found


def start(database_url: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "run_billing", "--as-of", f"{AS_OF}T00:00:00Z", "--finalize"]
    variables = os.environ | {"DATABASE_URL": database_url} | dict(environment or {})
    return subprocess.Popen(command, cwd=CHECKOUT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_at_once_make_the_books_of_one(database_url: str) -> None:
    expected = quiet_books()
    assert '"number": "INV-000015"' in expected
    small_company()
    processes = [start(database_url), start(database_url)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert books() == expected


def test_four_threads_at_once_make_the_books_of_one() -> None:
    expected = quiet_books()
    small_company()
    in_threads(*[lambda: bill(AS_OF).failed] * 4)
    assert books() == expected
    assert reconcile().differences == ()


@pytest.mark.parametrize("failpoint", ["draft-before-commit:8", "finalize-before-commit:1", "finalize-before-commit:9"])
def test_a_run_that_dies_loses_nothing_and_doubles_nothing(failpoint: str, database_url: str) -> None:
    expected = quiet_books()
    small_company()
    process = start(database_url, {"SQUILL_FAILPOINT": failpoint})
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    finished = Invoice.objects.filter(status="finalized").count()
    assert finished == {"draft-before-commit:8": 7, "finalize-before-commit:1": 0, "finalize-before-commit:9": 8}[failpoint]
    assert bill(AS_OF).failed == ()
    assert books() == expected
    assert reconcile().differences == ()
