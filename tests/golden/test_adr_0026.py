"""The worked example of ADR 0026: a worker dies between sending and noting, and the mail goes out once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from billing.delivery.resending import mark_as_sent
from billing.models import Delivery, Document, Invoice
from billing.runs.run import run_billing
from squill.postgres.home import CHECKOUT
from tests.billing.builders import sql
from tests.golden.books import ACTOR, day, sell, subscribe, use

pytestmark = pytest.mark.django_db(transaction=True)


def _work(database_url: str, home: Path, **environment: str) -> int:
    surroundings = os.environ | {"DATABASE_URL": database_url, "SQUILL_HOME": str(home)} | environment
    command = [sys.executable, "manage.py", "worker", "--once"]
    return subprocess.run(command, cwd=CHECKOUT, env=surroundings, capture_output=True, timeout=120, check=False).returncode


def test_a_worker_that_dies_between_sending_and_noting_sends_once(database_url: str, tmp_path: Path) -> None:
    sell('{code: calls, meter: calls, model: per_unit, unit_amount: "0.10"}')
    subscribe()
    use("january", "500", day(1, 10))
    run_billing(as_of=day(2, 1), finalize=True, actor=ACTOR, now=day(2, 1))

    assert _work(database_url, tmp_path, SQUILL_FAILPOINT="mail-after-send") == -signal.SIGKILL
    assert Delivery.objects.get().status == "sending"

    # The queue takes a job for dead after a quarter of an hour.
    sql("UPDATE procrastinate_jobs SET status = 'todo'")
    assert _work(database_url, tmp_path) == 0
    held = Delivery.objects.get()
    assert (held.status, held.attempts) == ("held", 1)
    assert _work(database_url, tmp_path) == 0

    mark_as_sent(delivery_id=held.pk, actor=ACTOR, now=day(2, 2))
    assert Invoice.objects.get().sent_at == day(2, 2)
    assert len(list((tmp_path / "mail").glob("*.eml"))) == 1
    assert Document.objects.count() == 1
