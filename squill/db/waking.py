"""Connecting to a database that may be asleep. Aurora that has paused takes some 15 seconds to wake, or longer after a day."""

import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg

from squill.aws import tracing

logger = logging.getLogger(__name__)
# libpq counts in whole seconds, and takes 1 for 2.
_SHORTEST_TIMEOUT_SECONDS: Final = 2
_FIRST_PAUSE_MS: Final = 100
_LONGEST_PAUSE_MS: Final = 2000
# Refusals that time does not mend; libpq gives no code for what is refused at sign-in.
_FOR_GOOD: Final = (
    "no pg_hba.conf entry",
    "does not exist",
    "certificate verify failed",
    "does not support SSL",
    "invalid sslmode",
)
_SIGN_IN_REFUSED: Final = "authentication failed"


def connect_patiently(
    connect: Callable[[dict[str, Any]], Any],
    parameters: dict[str, Any],
    *,
    patience_seconds: int,
    new_password: Callable[[], str | None] = lambda: None,
) -> Any:
    """
    Connect, and for `patience_seconds` try again while the database does not answer, each time after a longer pause, and never
    after the same one as others.

    A refused password is asked for once more (`new_password`), and what is refused for good is not tried again.

    :raises psycopg.OperationalError: the last refusal, if it does not answer in time
    """
    give_up_at = time.monotonic() + patience_seconds
    pause_ms, asked, tries = _FIRST_PAUSE_MS, False, 0
    while True:
        tries += 1
        left = give_up_at - time.monotonic()
        try:
            with tracing.segment("database-connect"):
                connection = connect(parameters | _timeout(parameters, left, patience_seconds))
        except psycopg.OperationalError as error:
            if _SIGN_IN_REFUSED in str(error):
                password = None if asked else new_password()
                if password is None:
                    raise
                logger.warning("the database's password has changed: signing in with the new one")
                parameters, asked = parameters | {"password": password}, True
                continue
            left = give_up_at - time.monotonic()
            if left <= 0 or any(text in str(error) for text in _FOR_GOOD):
                raise
            if tries == 1:
                logger.warning("the database does not answer yet: waiting for %d s at most", patience_seconds)
            _sleep(min(pause_ms, int(left * 1000) + 1))
            pause_ms = min(2 * pause_ms, _LONGEST_PAUSE_MS)
        else:
            if tries > 1:
                logger.info("the database answers after %d tries", tries)
            return connection


def _timeout(parameters: dict[str, Any], left_seconds: float, patience_seconds: int) -> dict[str, int]:
    """Return the time that one try may take: no more than is left, where there is patience at all."""
    allowed = int(parameters.get("connect_timeout") or 20)
    if patience_seconds:
        allowed = min(allowed, int(left_seconds) + 1)
    return {"connect_timeout": max(allowed, _SHORTEST_TIMEOUT_SECONDS)}


def _sleep(milliseconds: int) -> None:
    """Sleep between half of the time and all of it, so that those who came together do not come back together."""
    half = milliseconds // 2
    time.sleep(max(half + secrets.randbelow(half + 1), 1) / 1000)
