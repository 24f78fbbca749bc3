"""What a line of the log says, and what it never does."""

import json
import logging
import sys
from typing import Any

import pytest

from squill.lib.context import named, working_on
from squill.lib.log_lines import Json, Line, cross_out


def record(message: str, *arguments: Any, error: Exception | None = None) -> logging.LogRecord:
    exc_info = None
    if error is not None:
        try:
            raise error
        except type(error):
            exc_info = sys.exc_info()
    made = logging.LogRecord("billing.runs", logging.ERROR, "run.py", 1, message, arguments, exc_info)
    made.created, made.msecs = 1767225600.5, 500.0
    return made


def test_json_has_one_line_with_the_time_and_the_ids_of_what_is_worked_on() -> None:
    with working_on(request_id="abc", run_id=7, invoice_id=None):
        line = Json().format(record("finalising\nfailed: %d", 3))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.500Z",
        "level": "ERROR",
        "logger": "billing.runs",
        "message": "finalising\nfailed: 3",
        "request_id": "abc",
        "run_id": "7",
    }


def test_ids_hold_for_their_block_and_no_longer() -> None:
    with working_on(run_id=7):
        with working_on(run_id=8, invoice_id=1):
            assert dict(named()) == {"run_id": "8", "invoice_id": "1"}
        assert dict(named()) == {"run_id": "7"}
    assert dict(named()) == {}


def test_a_traceback_is_told_without_the_values_that_postgresql_repeats() -> None:
    words = 'duplicate key value violates "customers_user_email_key"\nDETAIL:  Key (name)=(Ann Canary) already exists.'
    told = json.loads(Json().format(record("failed", error=ValueError(words))))["exception"]
    assert "ValueError: duplicate key value" in told
    assert "test_log_lines.py" in told
    assert "Ann Canary" not in told
    line = Line("%(levelname)s %(message)s").format(record("failed", error=ValueError(words)))
    assert line.startswith("ERROR failed\nTraceback")
    assert "Ann Canary" not in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mail to ann.lee+x@acme.example failed", "mail to [address] failed"),
        ("?email=ann%40acme.example&x=1", "?email=[address]&x=1"),
        ("key sq_live_0aB9_zz9 was used", "key [key] was used"),
        ("Gone: /portal/sign-in/link/AAAB-x_y", "Gone: /portal/sign-in/link/[token]"),
        ("GET /a?sesame=AAAB&next=/x", "GET /a?sesame=[secret]&next=/x"),
        ("'Authorization': 'Bearer abc.def'", "'Authorization': 'Bearer [secret]'"),
        ("postgresql://squill:pa55@host/squill", "postgresql://squill:[secret]@host/squill"),
        ("billing acme:basic:2026-01-01 at 2026-02-01 failed", "billing acme:basic:2026-01-01 at 2026-02-01 failed"),
    ],
)
def test_what_nobody_but_its_owner_may_read_is_crossed_out(text: str, told: str) -> None:
    assert cross_out(text) == told
