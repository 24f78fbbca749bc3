"""
The databases that tests run in.

Migrating an empty database takes seconds, copying a migrated one a fraction of that. So the migrations run once into a
template, named after their content: a change of any migration makes a new one. Every pytest process (each worker of
pytest-xdist, and each of several sessions at once) clones a database of its own from it.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from squill import postgres
from squill.postgres.postmaster import is_alive

CHECKOUT = Path(__file__).resolve().parents[1]
EMBEDDED_HOME_VARIABLE = "TESTS_EMBEDDED_HOME"  # set by tests/conftest.py; unset = DATABASE_URL names somebody's server
PREFIX = "test_squill_"
# Tables that Django does not manage, and therefore does not flush.
UNMANAGED = (
    "usage_event",
    "usage_eventkey",
    "usage_rollup",
    "usage_putawayrollup",
    "procrastinate_jobs",
    "procrastinate_workers",
)


def start_server() -> None:
    """Start the embedded server, if it is the one that tests use."""
    home = os.environ.get(EMBEDDED_HOME_VARIABLE)
    if home:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SQUILL_HOME", home)
            postgres.ensure_running()


def use_template() -> None:
    """Make the template unless it is there, and tell Django to clone this process's test database from it."""
    template = f"{PREFIX}template_{_migrations_digest()}"
    with _maintenance_connection() as admin:
        # Released with the connection. Others wait here while the first one migrates.
        admin.execute("SELECT pg_advisory_lock(hashtext('squill test template'))")
        existing = _databases(admin)
        if EMBEDDED_HOME_VARIABLE in os.environ:
            _drop_leftovers(admin, existing, keep=template)
        if template not in existing:
            _build(admin, template)
    test_settings: dict[str, Any] = connection.settings_dict["TEST"]
    test_settings["TEMPLATE"] = template
    test_settings["NAME"] = f"{PREFIX}{os.getpid()}"


def let_flush_empty_frozen_tables() -> None:
    """
    Let the clean-up after a transactional test empty tables that triggers protect (final invoices, events).

    Only the clean-up: the triggers hold inside every test.
    """
    make_statements = connection.ops.sql_flush

    def sql_flush(*args: Any, **kwargs: Any) -> list[str]:
        statements = make_statements(*args, **kwargs)
        if not statements:
            return []
        others = f"TRUNCATE {', '.join(UNMANAGED)} CASCADE"
        return ["SET LOCAL session_replication_role = replica", *statements, others]

    connection.ops.sql_flush = sql_flush  # type: ignore[method-assign]


def current_url() -> str:
    """Return the address of the database that Django is connected to, as DATABASE_URL takes it."""
    at = connection.settings_dict
    password = f":{quote(at['PASSWORD'], safe='')}" if at["PASSWORD"] else ""
    return (
        f"postgresql://{quote(at['USER'], safe='')}{password}@/{quote(at['NAME'], safe='')}"
        f"?host={quote(at['HOST'], safe='/')}&port={at['PORT'] or 5432}"
    )


def _migrations_digest() -> str:
    digest = hashlib.sha256((CHECKOUT / "requirements-dev.txt").read_bytes())  # Django's and procrastinate's migrations
    for path in sorted(CHECKOUT.glob("*/migrations/**/*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _maintenance_connection() -> Iterator[psycopg.Connection]:
    at = connection.get_connection_params()
    options = {name: at[name] for name in ("host", "port", "user", "password") if at.get(name)}
    with psycopg.connect(**options, dbname="postgres", autocommit=True) as admin:
        yield admin


def _databases(admin: psycopg.Connection) -> set[str]:
    return {name for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])}


def _drop_leftovers(admin: psycopg.Connection, existing: set[str], *, keep: str) -> None:
    """Drop the databases of pytest processes that died, and the templates of older migrations."""
    for name in existing - {keep}:
        owner = re.fullmatch(rf"{PREFIX}(\d+)(_gw\d+)?", name)
        if owner is None or not is_alive(int(owner.group(1))):
            _drop(admin, name)


def _drop(admin: psycopg.Connection, name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _build(admin: psycopg.Connection, template: str) -> None:
    unfinished = f"{PREFIX}unfinished"
    _drop(admin, unfinished)
    admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(unfinished)))
    real_name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = unfinished
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = real_name
    admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(template)))
