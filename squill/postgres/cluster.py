"""Make a new data directory, whole or not at all."""

import shutil
from pathlib import Path

from squill.postgres.account import Account
from squill.postgres.binaries import Binaries
from squill.postgres.errors import PostgresError
from squill.postgres.home import DATABASE, SUPERUSER

# PostgreSQL 17 brought a C.UTF-8 of its own; before, it is the operating system's. Either sorts by code point and knows
# upper and lower case beyond ASCII.
FIRST_MAJOR_WITH_BUILTIN_LOCALE = 17

CONFIGURATION = """
# Squill's embedded server. Where it listens is given on the command line.
shared_buffers = 256MB
max_connections = 100
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_line_prefix = '%m [%p] '
"""


def data_major(data_dir: Path) -> int | None:
    """Return the major version that made a data directory; None if there is none yet."""
    try:
        return int((data_dir / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def create_cluster(data_dir: Path, *, account: Account, binaries: Binaries) -> None:
    """
    Make the data directory with an empty database in it. The caller holds the lock.

    Everything happens in a folder beside it that is renamed at the end, so that a data directory that exists is complete.

    :raises PostgresError: if a program of PostgreSQL fails
    """
    unfinished = data_dir.with_name("data.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    if binaries.major >= FIRST_MAJOR_WITH_BUILTIN_LOCALE:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    else:
        locale = ["--locale=C.UTF-8"]
    _run(
        account,
        [
            binaries.program("initdb"),
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            *locale,
            "--data-checksums",
            "--no-sync",
            "--no-instructions",
        ],
    )
    with (unfinished / "postgresql.conf").open("a") as stream:
        stream.write(CONFIGURATION)
    # Single-user mode: no socket, no second start.
    single_user = [binaries.program("postgres"), "--single", "-D", str(unfinished), "postgres"]
    _run(account, single_user, stdin=f"CREATE DATABASE {DATABASE}\n")
    unfinished.rename(data_dir)


def _run(account: Account, command: list[str], *, stdin: str = "") -> None:
    answer = account.run(command, stdin=stdin)
    # Single-user mode exits with 0 after an error.
    if answer.returncode != 0 or "ERROR:" in answer.stderr or "FATAL:" in answer.stderr:
        raise PostgresError(f"{Path(command[0]).name} failed:\n{answer.stdout}{answer.stderr}".rstrip())
