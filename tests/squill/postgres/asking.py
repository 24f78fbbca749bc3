"""Asking a server, and acting on it from another process."""

import subprocess
import sys

import psycopg

from squill import postgres

START = "from squill import postgres; print(postgres.ensure_running().pid)"


def ask(statement: str) -> object:
    """Return the one value that a statement on this home's server gives."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def execute(statement: str) -> None:
    """Run and commit a statement on this home's server."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(statement.encode())


def start_in_another_process(script: str = START) -> subprocess.Popen[str]:
    """Run the launcher in a process, and a session, of its own; it prints the server's pid."""
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
