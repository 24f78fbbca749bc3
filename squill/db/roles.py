"""The role that the application signs in with: it owns no table and may do only what the application does."""

from collections.abc import Iterator
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

_ALL: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
# Written by migrations alone.
_READ_ONLY: Final = frozenset({"django_migrations"})
# Bits of pg_trigger.tgtype.
_ROW, _BEFORE, _DELETE, _UPDATE = 1, 2, 8, 16
# Triggers that refuse whatever is done; those with a condition, or that look at the row, are not among them.
_REFUSES: Final = {
    "squill_refuse_change": {"UPDATE", "DELETE"},
    "squill_only_columns_change": {"DELETE"},
    "squill_counter_takes_next": {"DELETE"},
    "squill_freeze_credit_note": {"DELETE"},
    "squill_freeze_credit_note_part": {"UPDATE", "DELETE"},
}

# Grain: table. Parts of a partitioned table are reached through it, and need no rights of their own.
_TABLES: Final = """
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY 1
"""
# Grain: unconditional row trigger before a change.
_TRIGGERS: Final = """
SELECT c.relname, p.proname, t.tgtype FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal AND t.tgqual IS NULL AND t.tgenabled <> 'D'
"""
# What would let the role past everything below.
_TOO_MUCH: Final = """
SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication, EXISTS (
  SELECT 1 FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND pg_has_role(r.oid, c.relowner, 'MEMBER'))
FROM pg_roles r WHERE r.rolname = %s
"""


class RoleRefused(Exception):
    """The role may do so much that rights would not bind it. Nothing was changed."""


def bring_up_to_date(role: str, password: str | None) -> Iterator[str]:
    """
    Give a role exactly the rights that it needs, and yield what it may do, a line each. Needs a transaction.

    :raises RoleRefused: if the role owns tables, or may do what only the owner or a superuser may
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE ROLE {_quoted(role)} LOGIN NOINHERIT")
            yield _("%(role)s: made") % {"role": role}
        cursor.execute(_TOO_MUCH, [role])
        may_all, owns = cursor.fetchone()
        if may_all:
            message = _("%(role)s is a superuser, or may make roles or databases, or replicate: take a role that may not")
            raise RoleRefused(message % {"role": role})
        if owns:
            raise RoleRefused(_("%(role)s owns tables, or is a member of who does: take another role") % {"role": role})
        if password is not None:
            _set_password(cursor, role, password)
            yield _("%(role)s: password set") % {"role": role}
        yield from _grant_around(cursor, role)
        yield from _grant_tables(cursor, role)


def _set_password(cursor: Any, role: str, password: str) -> None:
    """Hash it here, so that it reaches neither the server's log nor its statistics."""
    connection.ensure_connection()
    pgconn = connection.connection.pgconn
    hashed: bytes = pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    cursor.execute(f"ALTER ROLE {_quoted(role)} PASSWORD '{hashed.decode()}'")  # letters, digits, +/=$: only


def _grant_around(cursor: Any, role: str) -> Iterator[str]:
    database, name = _quoted(str(connection.settings_dict["NAME"])), _quoted(role)
    for statement in (
        f"REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC, {name}",
        f"GRANT CONNECT ON DATABASE {database} TO {name}",
        f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {name}",
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"GRANT EXECUTE ON FUNCTION squill_make_event_month(date) TO {name}",
        # What later migrations make can be read and added to at once; the rest comes with the next run of this command.
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {name}",
    ):
        cursor.execute(statement)
    yield _("%(role)s: connects, uses sequences, has months of events made; makes no tables of its own") % {"role": role}


def _grant_tables(cursor: Any, role: str) -> Iterator[str]:
    cursor.execute(_TRIGGERS)
    refused: dict[str, set[str]] = {}
    for table, function, kind in cursor.fetchall():
        if kind & _ROW and kind & _BEFORE:
            fires = {name for name, bit in (("UPDATE", _UPDATE), ("DELETE", _DELETE)) if kind & bit}
            refused.setdefault(table, set()).update(fires & _REFUSES.get(function, set()))
    cursor.execute(_TABLES)
    for (table,) in cursor.fetchall():
        rights = {"SELECT"} if table in _READ_ONLY else _ALL - refused.get(table, set())
        listed = ", ".join(right for right in ("SELECT", "INSERT", "UPDATE", "DELETE") if right in rights)
        cursor.execute(f"GRANT {listed} ON TABLE public.{_quoted(table)} TO {_quoted(role)}")
        yield f"{table}: {listed.lower()}"


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
