"""Django's PostgreSQL with patience: settings name this package as ENGINE, and Django looks for it in `base`."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.utils.asyncio import async_unsafe

from squill.aws import secrets
from squill.db import limits
from squill.db.waking import connect_patiently


class DatabaseWrapper(base.DatabaseWrapper):
    """
    Waits a bounded time for a database that is waking up, asks for its password again where that has changed, and drops a
    connection to a server that only reads any more.
    """

    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; nothing has been said on the new connection yet, so that trying again repeats nothing."""
        return connect_patiently(
            super().get_new_connection,
            conn_params | limits.options(conn_params),
            patience_seconds=limits.patience_seconds(),
            new_password=self._new_password,
        )

    def is_usable(self) -> bool:
        """
        Say whether the connection answers, and its server still writes: after a failover the old one may be a reader.

        Asked before the first statement of each request that finds a connection (CONN_HEALTH_CHECKS), and after an error.
        """
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SHOW transaction_read_only")
                found = cursor.fetchone()
        except psycopg.Error:
            return False
        return bool(found) and found[0] == "off"

    def _new_password(self) -> str | None:
        """Return the password that is kept now, or None if it is the one that was refused (or kept nowhere)."""
        account = secrets.database_account()
        if account is None or account.username != self.settings_dict["USER"]:
            return None  # somebody else, such as the owner of the tables, whose password is read before each use
        password = secrets.database_password(refresh=True)
        if password is None or password == self.settings_dict["PASSWORD"]:
            return None
        self.settings_dict["PASSWORD"] = password
        return password
