"""
Under which account the server's programs run.

An ordinary user runs them as themselves. PostgreSQL refuses to run as root, so root hands them to another account: the one
that already owns the data, else `postgres`, else `nobody`. That account owns SQUILL_HOME/postgres and nothing else.

It must also reach that folder and the programs, and a checkout often lies where it may not go (under /root, mode 0700).
Opening those folders would show them to everybody, for good. Instead, only then, the programs are started through
util-linux's `setpriv` with one capability: dac_read_search, which lets a process traverse and read what file modes deny, or
dac_override where the container was not given the first. Two details make this work:

- As an ambient capability it is handed down to every program that initdb starts.
- PostgreSQL asks access(2) whether its programs may be run, and the kernel answers that question without capabilities
  unless the securebit no_setuid_fixup is set.

The price is that in this case the server, hence whoever can connect, can read any file. Only root and that account can
connect, because the socket lies in a folder of mode 0700.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from squill.postgres.binaries import Binaries
from squill.postgres.errors import PostgresError

ACCOUNTS_FOR_ROOT = ("postgres", "nobody")
TRAVERSING_CAPABILITIES = ("dac_read_search", "dac_override")


class PopenIdentity(TypedDict, total=False):
    """The arguments of subprocess.Popen that change the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as, and how a command is made to run so."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()  # setpriv and its options; empty = no capability is needed

    def popen_identity(self) -> PopenIdentity:
        """Return what Popen needs to switch account; nothing where there is nothing to switch, or where setpriv does it."""
        if self.prefix or self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def run(self, command: list[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command under this account until it ends; its output is captured, its exit status is not judged."""
        return subprocess.run(  # noqa: S603 - our own commands, no shell
            [*self.prefix, *command],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",  # The current folder may be one that the account cannot enter.
            env=server_environment(),
            **self.popen_identity(),
        )


def server_environment() -> dict[str, str]:
    """Return the environment without what would move the server (PGDATA, PGPORT …) or translate its messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def claim_owned_dir(owned_dir: Path) -> Account:
    """
    Make the server's folder, or find it made, and return the account that it belongs to.

    :raises PostgresError: if it belongs to somebody whom the caller cannot act for, or root finds no account to hand it to
    """
    me = os.geteuid()
    owned_dir.mkdir(mode=0o700, exist_ok=True)
    owner = owned_dir.stat()
    if owner.st_uid != me:
        if me != 0:
            raise PostgresError(
                f"{owned_dir} belongs to {_name(owner.st_uid)}: it was made by another account.\n"
                "Run as that account (or as root, if root made it), or use another home: SQUILL_HOME=FOLDER."
            )
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    if me != 0:
        return Account(uid=me, gid=os.getegid())
    for name in ACCOUNTS_FOR_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(owned_dir, entry.pw_uid, entry.pw_gid)
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise PostgresError(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` nor `nobody` to run it as.\n"
        "Run as an ordinary user, or set DATABASE_URL to a server of your own."
    )


def able_to_reach(account: Account, *, owned_dir: Path, binaries: Binaries) -> Account:
    """
    Return the account with the capability it needs to reach its folder and the programs: usually none.

    :raises PostgresError: if it cannot be made to reach them
    """
    if _reaches(account, owned_dir, binaries):
        return account
    setpriv = shutil.which("setpriv")
    if setpriv is not None and os.geteuid() == 0:
        for capability in TRAVERSING_CAPABILITIES:
            capable = Account(uid=account.uid, gid=account.gid, prefix=_setpriv(setpriv, account, capability))
            if _reaches(capable, owned_dir, binaries):
                return capable
    raise PostgresError(
        f"PostgreSQL runs as {_name(account.uid)}, which cannot enter {owned_dir} or {binaries.bin_dir}.\n"
        "Set DATABASE_URL to a server of your own, or run as an ordinary user, or move the checkout (and SQUILL_HOME) to a "
        "folder that others may enter."
    )


def _setpriv(setpriv: str, account: Account, capability: str) -> tuple[str, ...]:
    return (
        setpriv,
        f"--reuid={account.uid}",
        f"--regid={account.gid}",
        "--clear-groups",
        f"--inh-caps=+{capability}",
        f"--ambient-caps=+{capability}",
        "--securebits=+no_setuid_fixup",
        "--",
    )


def _reaches(account: Account, owned_dir: Path, binaries: Binaries) -> bool:
    # By doing it: file modes alone do not tell (ACLs, mounts, capabilities). A `postgres` that cannot verify its own
    # program file still answers --version, but complains.
    script = 'cd "$1" && exec "$2" --version'
    try:
        answer = account.run(["/bin/sh", "-c", script, "sh", str(owned_dir), binaries.program("postgres")])
    except OSError:
        return False
    return answer.returncode == 0 and not answer.stderr


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
