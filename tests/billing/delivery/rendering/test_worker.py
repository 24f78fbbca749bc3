import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from billing.delivery.rendering import engine
from billing.delivery.rendering.page import compose
from billing.delivery.rendering.protocol import Page
from billing.delivery.rendering.worker import RenderingFailed, Worker, shared_worker
from tests.billing.delivery.rendering.reading import whole_text
from tests.billing.delivery.rendering.snapshots import snapshot

PLENTY = 2 << 30
PAGE = Page(html='<html lang="en"><title>x</title><p>here</p>', styles="p { font-family: Inter }")
# Sixty thousand cells in one table: minutes of work.
ENDLESS = Page(html="<html><title>x</title><table>" + "<tr><td>x</td><td>y</td></tr>" * 30_000 + "</table>", styles="")


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker(memory_bytes=PLENTY, seconds=60)
    yield made
    made.stop()


def test_the_bytes_are_those_of_a_rendering_in_this_process(worker: Worker) -> None:
    page = compose(snapshot())
    assert worker.write_pdf(page) == engine.write_pdf(page)


def test_it_starts_with_the_first_document_and_stays_for_the_next(worker: Worker) -> None:
    assert worker.pid is None
    first = worker.write_pdf(PAGE)
    pid = worker.pid
    assert pid is not None
    assert worker.write_pdf(PAGE) == first
    assert worker.pid == pid


def test_one_that_died_is_replaced(worker: Worker) -> None:
    worker.write_pdf(PAGE)
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert "here" in whole_text(worker.write_pdf(PAGE))
    assert worker.pid not in (None, pid)


def test_one_that_takes_too_long_is_ended_and_says_so() -> None:
    impatient = Worker(memory_bytes=PLENTY, seconds=10)
    with pytest.raises(RenderingFailed, match=r"longer than 10 s \(SQUILL_PDF_SECONDS\)"):
        impatient.write_pdf(ENDLESS)
    assert impatient.pid is None
    assert "here" in whole_text(impatient.write_pdf(PAGE))
    impatient.stop()


def test_one_that_takes_too_much_memory_is_ended_and_says_so() -> None:
    poor = Worker(memory_bytes=420 << 20, seconds=60)
    assert "here" in whole_text(poor.write_pdf(PAGE))
    with pytest.raises(RenderingFailed, match="want of memory"):
        poor.write_pdf(Page(html="<html><title>x</title>" + "word " * 12_000_000, styles=""))
    assert "here" in whole_text(poor.write_pdf(PAGE))
    poor.stop()


def test_what_goes_wrong_inside_is_told_and_the_worker_stays(worker: Worker) -> None:
    worker.write_pdf(PAGE)
    pid = worker.pid
    with pytest.raises(RenderingFailed, match="could not be laid out: RecursionError"):
        worker.write_pdf(Page(html="<html><title>x</title>" + "<div>" * 5_000, styles=""))
    assert worker.pid == pid


def test_threads_wait_for_each_other(worker: Worker) -> None:
    with ThreadPoolExecutor(max_workers=4) as threads:
        documents = list(threads.map(worker.write_pdf, [PAGE] * 8))
    assert len(set(documents)) == 1


def test_it_is_told_no_secret(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_SECRET_KEY", "a secret")
    worker.write_pdf(PAGE)
    environment = Path(f"/proc/{worker.pid}/environ")
    if environment.exists():
        assert b"SQUILL" not in environment.read_bytes()
        assert b"DATABASE_URL" not in environment.read_bytes()


def test_a_process_that_forks_starts_its_own(worker: Worker) -> None:
    worker.write_pdf(PAGE)
    parents = worker.pid
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if worker.write_pdf(PAGE) and worker.pid != parents else 1
            worker.stop()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert worker.write_pdf(PAGE)
    assert worker.pid == parents


def test_it_ends_with_the_process_that_started_it() -> None:
    program = (
        "from billing.delivery.rendering.protocol import Page\n"
        "from billing.delivery.rendering.worker import shared_worker\n"
        "worker = shared_worker(memory_bytes=0, seconds=60)\n"
        "worker.write_pdf(Page(html='<html><title>x</title>', styles=''))\n"
        "print(worker.pid)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(run.stdout), 0)


def test_the_same_bounds_share_one() -> None:
    assert shared_worker(memory_bytes=PLENTY, seconds=77) is shared_worker(memory_bytes=PLENTY, seconds=77)
    assert shared_worker(memory_bytes=PLENTY, seconds=77) is not shared_worker(memory_bytes=PLENTY, seconds=78)
