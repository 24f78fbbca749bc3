"""
Where the embedded server keeps its things, and how clients reach it. Nothing here starts or changes anything.

    SQUILL_HOME/postgres.log        what the server says; the file before it is kept as postgres.log.1
    SQUILL_HOME/postgres.lock       held (flock) by the one process that starts or stops the server
    SQUILL_HOME/postgres/           belongs to the server's account, mode 0700
    SQUILL_HOME/postgres/data/      the cluster; appears complete, by a rename
    SQUILL_HOME/postgres/socket/    the Unix socket
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

DATABASE = "squill"
SUPERUSER = "squill"
# Only names the socket file, since no TCP port is opened; said to clients because PGPORT would otherwise be believed.
PORT = 5432
# A socket's path must fit sockaddr_un: 108 bytes on Linux, 104 on macOS, the closing zero included.
SOCKET_PATH_MAX_BYTES = 100

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one home."""

    home: Path

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def lock(self) -> Path:
        return self.home / "postgres.lock"

    @property
    def owned_dir(self) -> Path:
        return self.home / "postgres"

    @property
    def data_dir(self) -> Path:
        return self.owned_dir / "data"

    @property
    def socket_dir(self) -> Path:
        """
        Return the folder of the socket: in the home, or where that path would be too long, in /tmp.

        Not in the TMPDIR of the day: two processes of one home must agree on it.
        """
        inside = self.owned_dir / "socket"
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_MAX_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()
        return Path("/tmp") / f"squill-{digest[:24]}"  # noqa: S108 - made with mode 0700 and its owner verified


def home() -> Path:
    """Return the folder of everything that Squill keeps on this machine: SQUILL_HOME, else `.squill` in the checkout."""
    configured = os.environ.get("SQUILL_HOME", "")
    return Path(configured).expanduser().resolve() if configured else CHECKOUT / ".squill"


def connection_settings() -> dict[str, str]:
    """Return the entry of Django's DATABASES for the embedded server of this home, running or not."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": str(Layout(home()).socket_dir),
        "PORT": str(PORT),
        "NAME": DATABASE,
        "USER": SUPERUSER,
        "PASSWORD": "",
    }


def url() -> str:
    """Return the same as a URI that psql, psycopg and DATABASE_URL take."""
    socket_dir = quote(str(Layout(home()).socket_dir), safe="/")
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={socket_dir}&port={PORT}"
