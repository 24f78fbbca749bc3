#!/usr/bin/env python
"""Squill's commands. Unless the environment names a server, the embedded PostgreSQL is started first and left running."""

import os
import sys

from django.core.management import execute_from_command_line

from squill import postgres

# Commands that never open the database, and the one that looks after the server itself.
WITHOUT_DATABASE = {"postgres", "calculate", "help", "version", "makemessages", "compilemessages", "collectstatic", "spectacular"}
ONLY_EXPLAINS = {"-h", "--help", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "squill.settings")
    if needs_embedded_server(sys.argv[1:]):
        try:
            postgres.ensure_running()
        except postgres.PostgresError as error:
            sys.exit(str(error))
    execute_from_command_line(sys.argv)


def needs_embedded_server(arguments: list[str]) -> bool:
    """Say whether the command line will want a database that only the embedded server can give."""
    if os.environ.get("DATABASE_URL") or os.environ.get("SQUILL_DATABASE_SECRET") or not arguments:
        return False
    return arguments[0] not in WITHOUT_DATABASE and ONLY_EXPLAINS.isdisjoint(arguments)


if __name__ == "__main__":
    main()
