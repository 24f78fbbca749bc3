"""
The real PostgreSQL behind the local Aurora: the embedded server of this home, or the one that DATABASE_URL names.

On RDS the superuser is Amazon's own, rdsadmin, and the master user that one asks for is none. So it is here: the embedded
server's superuser becomes rdsadmin, and a cluster's master user is made anew. What only a superuser may do fails here as it
would there, and so does a wrong password: the embedded server trusts its socket's folder, this one rdsadmin alone.
"""

import os
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from psycopg import sql

from squill import env, postgres

_SUPERUSER: Final = "rdsadmin"
_FOR_A_MOMENT: Final = "rdsadmin_makes_way"
_WHO_IS_BELIEVED: Final = f"local all {_SUPERUSER} trust\nlocal all all scram-sha-256\n"


@dataclass(slots=True)
class Server:
    """Knows how to reach the server as its superuser, and makes users and databases in it."""

    _passwords: dict[str, str] = field(default_factory=dict)

    def address(self) -> tuple[str, int]:
        """
        Return its host and port. The embedded server starts, if it does not run; its host is the folder of its Unix socket.

        :raises postgres.PostgresError: if it cannot be started, or has data that the local AWS did not make
        """
        at = self._superuser()
        return at["HOST"], int(at["PORT"] or 5432)

    def provide(self, *, username: str, database: str) -> str:
        """
        Make a user, and a database that it owns, as RDS does with a new cluster, and return the user's password.

        On a server that DATABASE_URL names, where the user may be the superuser of that address, it stays that.
        """
        at = self._superuser()
        if username == at["USER"]:
            password: str = at["PASSWORD"]
        else:
            password = self._passwords.setdefault(username, secrets.token_urlsafe(24))
        with self.connection() as superuser:
            if username != at["USER"]:
                verb = "ALTER" if _exists(superuser, "pg_roles", "rolname", username) else "CREATE"
                make = sql.SQL("{} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}")
                superuser.execute(make.format(sql.SQL(verb), sql.Identifier(username), sql.Literal(password)))
            verb = "ALTER" if _exists(superuser, "pg_database", "datname", database) else "CREATE"
            own = sql.SQL("{} DATABASE {} OWNER {} {}")
            to = sql.SQL("TO" if verb == "ALTER" else "")
            superuser.execute(own.format(sql.SQL(verb), sql.Identifier(database), to, sql.Identifier(username)))
        return password

    def connection(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect as the superuser."""
        return _connect(self._superuser(), database)

    def _superuser(self) -> dict[str, Any]:
        url = os.environ.get("DATABASE_URL")
        if url:
            return env.database(url)
        postgres.ensure_running()
        at = {**postgres.connection_settings(), "USER": _SUPERUSER}
        try:
            _connect(at, "postgres").close()
        except psycopg.OperationalError:
            _make_way(postgres.connection_settings())
        return at


def _make_way(at: dict[str, str]) -> None:
    """Give the embedded server's superuser the name that it has on RDS; nobody can rename themselves."""
    with _connect(at, at["NAME"]) as connection:
        if connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchone():
            raise postgres.PostgresError(
                f"{postgres.home()} has data that the local AWS did not make. Give it a home of its own: SQUILL_HOME=FOLDER."
            )
        connection.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(sql.Identifier(_FOR_A_MOMENT)))
    rename = sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(at["USER"]), sql.Identifier(_SUPERUSER))
    with _connect({**at, "USER": _FOR_A_MOMENT}, "postgres") as connection:
        connection.execute(rename)
    with _connect({**at, "USER": _SUPERUSER}, "postgres") as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(_FOR_A_MOMENT)))
        (postgres.status().data_dir / "pg_hba.conf").write_text(_WHO_IS_BELIEVED)
        connection.execute("SELECT pg_reload_conf()")


def _connect(at: dict[str, Any], database: str) -> psycopg.Connection[Any]:
    login = {"host": at["HOST"], "port": at["PORT"], "user": at["USER"], "password": at["PASSWORD"]}
    return psycopg.connect(**{name: value for name, value in login.items() if value}, dbname=database, autocommit=True)


def _exists(connection: psycopg.Connection[Any], table: str, column: str, value: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
    return connection.execute(query, [value]).fetchone() is not None


server: Final = Server()
