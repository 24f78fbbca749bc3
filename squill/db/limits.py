"""
How long a connection waits for things: short while a request is answered, for which somebody waits; long in a job.

Both run the same code on the same settings, so it is the door that says which it is (`waiting_at_most`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from django.conf import settings
from django.db import connection

_patience: ContextVar[int | None] = ContextVar("squill_db_patience", default=None)
_statement: ContextVar[int] = ContextVar("squill_db_statement", default=0)
# A client that is gone without a word (a function that was cut off, a cable) keeps no lock for longer than a minute or so,
# and one that sits in a transaction none for longer than five.
_SERVER: Final = (
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 "
    "-c idle_in_transaction_session_timeout=300000"
)


@contextmanager
def waiting_at_most(*, patience_seconds: int, statement_seconds: int = 0) -> Iterator[None]:
    """Within the block, connect with so much patience, and on new connections let no statement take longer (0: as it likes)."""
    patience, statement = _patience.set(patience_seconds), _statement.set(statement_seconds)
    try:
        yield
    finally:
        _patience.reset(patience)
        _statement.reset(statement)


@contextmanager
def statements_end_within(seconds: int) -> Iterator[None]:
    """Within the block, have PostgreSQL end every statement on the present connection that takes longer (at least a second)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{max(seconds, 1)}s"])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")


def patience_seconds() -> int:
    """Return how long to wait for a database that does not answer."""
    patience = _patience.get()
    return int(settings.SQUILL_DATABASE_WAKE_SECONDS) if patience is None else patience


def options(parameters: dict[str, Any]) -> dict[str, str]:
    """Return the parameter that sets what a connection's session waits for, with what the settings say there already."""
    words = [str(parameters.get("options") or ""), _SERVER]
    if seconds := _statement.get():
        words.append(f"-c statement_timeout={seconds * 1000}")
    return {"options": " ".join(filter(None, words))}
