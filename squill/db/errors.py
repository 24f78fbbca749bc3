"""Which errors say that the database is away, and will be back, and which say something about what was asked of it."""

from typing import Final

import psycopg
from django.db import InterfaceError, InternalError, OperationalError

# Connection exceptions, out of connections, shut down, starting up, and: read-only, as an old writer is after a failover.
_AWAY: Final = ("08", "53300", "57P01", "57P02", "57P03", "25006")


def is_away(error: BaseException | None) -> bool:
    """Say whether an error of Django's database says that there is nobody to talk to, or nobody who writes."""
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return False
    cause = error.__cause__
    code = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    if code is None:  # never came to an answer: no connection, or a lost one
        return not isinstance(error, InternalError)
    return code.startswith(_AWAY)
