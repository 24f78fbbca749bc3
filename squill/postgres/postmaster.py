"""
Read what a data directory's postmaster.pid says, and whether it is still true.

PostgreSQL writes: pid, data directory, start time, port, socket directory, listen address, shared memory key, state.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PID_LINE, SOCKET_DIR_LINE, STATE_LINE = 0, 4, 7
# Beyond the largest pid of every kernel we run on: never a process.
PID_OF_NOBODY = 2_147_483_646


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living server process."""

    pid: int
    socket_dir: str  # empty while it has not come that far
    is_ready: bool  # accepts connections; False while starting, recovering or shutting down


def find_postmaster(data_dir: Path) -> Postmaster | None:
    """Return the live postmaster of a data directory; a stale file, a zombie and a reused pid count as none."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not lines or not lines[PID_LINE].strip().isdigit():
        return None  # Being written just now.
    pid = int(lines[PID_LINE])
    if not is_alive(pid) or not _runs_on(pid, data_dir):
        return None
    return Postmaster(
        pid=pid,
        socket_dir=lines[SOCKET_DIR_LINE] if len(lines) > SOCKET_DIR_LINE else "",
        is_ready=len(lines) > STATE_LINE and lines[STATE_LINE].strip() == "ready",
    )


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a zombie (dead, but not yet collected by its parent) does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _state(pid).startswith("Z")


def disown_stale_pid(data_dir: Path) -> None:
    """
    Make a postmaster.pid that find_postmaster() judged stale look so to PostgreSQL too.

    PostgreSQL only asks whether the pid exists, so a zombie or a stranger with that pid would stop it from starting for
    good. The rest of the file stays: by it PostgreSQL still refuses to start beside surviving children of the dead server.
    """
    path = data_dir / "postmaster.pid"
    try:
        with path.open("r+") as stream:
            rest = stream.read().partition("\n")[2]
            stream.seek(0)
            stream.write(f"{PID_OF_NOBODY}\n{rest}")
            stream.truncate()
    except FileNotFoundError:
        return


def _state(pid: int) -> str:
    try:
        # The name, in parentheses, may itself hold parentheses and spaces.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2]
    except OSError:
        return _ps("stat", pid)


def _runs_on(pid: int, data_dir: Path) -> bool:
    try:
        # Empty for a process that is just ending: no server either.
        return os.fsencode(data_dir) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        command = _ps("command", pid)
    # No answer at all (a hidden /proc): believe the file.
    return not command or str(data_dir) in command


def _ps(column: str, pid: int) -> str:
    """Ask ps where there is no /proc (macOS); an empty text if it does not know either."""
    try:
        answer = subprocess.run(  # noqa: S603 - fixed command, no shell
            ["/bin/ps", "-ww", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return answer.stdout.strip()
