"""Start, stop and look at the embedded server of this home."""

import os
import signal
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from squill.postgres.account import Account, able_to_reach, claim_owned_dir, server_environment
from squill.postgres.binaries import Binaries, find_binaries
from squill.postgres.cluster import create_cluster, data_major
from squill.postgres.errors import PostgresError, with_log
from squill.postgres.home import PORT, Layout, home
from squill.postgres.postmaster import disown_stale_pid, find_postmaster, is_alive
from squill.postgres.waiting import exclusive, wait_until

LOG_KEPT_BYTES = 5_000_000
# How long children of a killed server may take to notice that it is gone.
OLD_CHILDREN_SECONDS = 60
OLD_CHILDREN_REASON = "pre-existing shared memory block"


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it was found."""

    state: str  # "stopped" | "starting" (or recovering, or stopping) | "running"
    pid: int | None  # of the postmaster; None = stopped
    socket_dir: Path
    data_dir: Path
    log: Path


def status() -> Server:
    """Return how the server of this home is; changes nothing."""
    layout = Layout(home())
    try:
        postmaster = find_postmaster(layout.data_dir)
    except PermissionError as error:
        raise PostgresError(
            f"{layout.owned_dir} belongs to another account. Run as that account, or as root if root made it, "
            "or use another home: SQUILL_HOME=FOLDER."
        ) from error
    if postmaster is None:
        state = "stopped"
    else:
        state = "running" if postmaster.is_ready else "starting"
    return Server(
        state=state,
        pid=postmaster.pid if postmaster else None,
        socket_dir=layout.socket_dir,
        data_dir=layout.data_dir,
        log=layout.log,
    )


def ensure_running() -> Server:
    """
    Start the server of this home, unless it runs, and return once it accepts connections.

    Makes the home and the database `squill` where they do not exist. Idempotent, and safe to call from many processes at
    once. Crash recovery is waited for without a limit as long as the server lives.

    :raises PostgresError: if it cannot be started
    """
    found = status()
    if found.state == "running":
        return found
    layout = Layout(home())
    try:
        # Others may pass through, as root's server account must, but not look around.
        layout.home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        with exclusive(layout.lock):
            pid = status().pid
            # One that is found starting may be left from a starter that was killed; one that is stopping is started again.
            if pid is None or not _becomes_ready(layout, pid):
                _start(layout)
    except OSError as error:
        raise PostgresError(f"The embedded PostgreSQL in {layout.home} cannot be started: {error}") from error
    return status()


def stop() -> bool:
    """
    Stop the server of this home and wait until it is gone; connections are closed, what is committed is kept.

    :return: whether there was one to stop
    """
    layout = Layout(home())
    if status().state == "stopped":
        return False
    with exclusive(layout.lock):
        pid = status().pid
        if pid is None:
            return False
        os.kill(pid, signal.SIGINT)  # PostgreSQL's "fast" shutdown
        wait_until(lambda: not is_alive(pid), telling="Waiting for PostgreSQL to stop")
    return True


def _start(layout: Layout) -> None:
    account = claim_owned_dir(layout.owned_dir)
    binaries = find_binaries(data_major=data_major(layout.data_dir))
    account = able_to_reach(account, owned_dir=layout.owned_dir, binaries=binaries)
    _prepare_socket_dir(layout.socket_dir, account)
    if data_major(layout.data_dir) is None:
        create_cluster(layout.data_dir, account=account, binaries=binaries)
    give_up_at = time.monotonic() + OLD_CHILDREN_SECONDS
    while True:
        disown_stale_pid(layout.data_dir)
        log_since = _rotate_log(layout.log)
        if _becomes_ready(layout, _spawn(layout, account, binaries)):
            return
        said = _read_from(layout.log, log_since)
        if OLD_CHILDREN_REASON not in said or time.monotonic() > give_up_at:
            raise with_log("The embedded PostgreSQL does not start.", layout.log, since_byte=log_since)
        time.sleep(0.2)


def _spawn(layout: Layout, account: Account, binaries: Binaries) -> int:
    """
    Start the server as nobody's child and return its pid.

    In a session of its own no signal of the starter's terminal reaches it; orphaned by the shell, which ends at once, it is
    collected by init when it dies and never lingers as our zombie.
    """
    command = [
        binaries.program("postgres"),
        *("-D", str(layout.data_dir)),
        *("-c", "listen_addresses="),
        *("-c", f"port={PORT}"),
        *("-c", f"unix_socket_directories={_quoted_for_list(layout.socket_dir)}"),
        *("-c", "unix_socket_permissions=0700"),
        *("-c", "logging_collector=off"),
    ]
    with layout.log.open("ab") as log:
        launched = subprocess.run(  # noqa: S603 - our own command; the shell text is fixed
            ["/bin/sh", "-c", '"$@" </dev/null >&2 & echo $!', "sh", *account.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
            cwd="/",
            env=server_environment(),
            start_new_session=True,
            **account.popen_identity(),
        )
    return int(launched.stdout)


def _quoted_for_list(socket_dir: Path) -> str:
    # The setting is a list with commas: a quoted element may hold commas and blanks.
    escaped = str(socket_dir).replace('"', '""')
    return f'"{escaped}"'


def _becomes_ready(layout: Layout, pid: int) -> bool:
    """Wait until this server accepts connections, however long it recovers; False if it ends instead."""

    def is_ready() -> bool:
        postmaster = find_postmaster(layout.data_dir)
        return postmaster is not None and postmaster.pid == pid and postmaster.is_ready

    wait_until(lambda: is_ready() or not is_alive(pid), telling="PostgreSQL is starting; after a crash it recovers first")
    return is_ready()


def _prepare_socket_dir(socket_dir: Path, account: Account) -> None:
    """
    Make the socket's folder, or verify that the one that is there lets in nobody else, and clear it.

    What lies in it is left from a server that was killed: the caller holds the lock and no server of this home lives.
    PostgreSQL would remove it too, but not while the killed process is still a zombie.

    :raises PostgresError: if somebody else made it (in /tmp anybody could)
    """
    try:
        socket_dir.mkdir(mode=0o700)
    except FileExistsError:
        pass
    found = socket_dir.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() != account.uid:
        os.chown(socket_dir, account.uid, account.gid)
        found = socket_dir.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise PostgresError(
            f"{socket_dir} should be a folder of mode 0700 that belongs to the server's account, and is not.\n"
            "Somebody else may have made it. Remove it, or use another home: SQUILL_HOME=FOLDER."
        )
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (socket_dir / name).unlink(missing_ok=True)


def _rotate_log(log: Path) -> int:
    """Put a log that has grown large aside, replacing the one before; return where new lines begin, in bytes."""
    log.touch(mode=0o600)
    size = log.stat().st_size
    if size < LOG_KEPT_BYTES:
        return size
    log.replace(log.with_name(log.name + ".1"))
    log.touch(mode=0o600)
    return 0


def _read_from(log: Path, offset: int) -> str:
    with log.open("rb") as stream:
        stream.seek(offset)
        return stream.read().decode(errors="replace")
