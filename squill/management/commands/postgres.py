"""`manage.py postgres start|stop|status|url`: the embedded server of this SQUILL_HOME."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from squill import postgres


class Command(BaseCommand):
    help = (
        "Start, stop and look at the embedded PostgreSQL of this SQUILL_HOME. Every other command starts it when "
        "DATABASE_URL is unset and leaves it running. `status` exits with 1 unless it is running; "
        "`url` prints the address for psql or DATABASE_URL and starts nothing."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "url"])
        parser.add_argument("--json", action="store_true", dest="as_json", help="answer with one JSON object")

    def handle(self, *args: Any, action: str, as_json: bool, **options: Any) -> None:
        try:
            if action == "start":
                postgres.ensure_running()
            elif action == "stop":
                postgres.stop()
            server = postgres.status()
        except postgres.PostgresError as error:
            raise CommandError(str(error)) from error
        if as_json:
            self.stdout.write(json.dumps(_as_json(server), sort_keys=True))
        elif action == "url":
            self.stdout.write(postgres.url())
        elif server.pid is None:
            self.stdout.write(_("PostgreSQL is stopped. Its data: %(data)s") % {"data": server.data_dir})
        else:
            self.stdout.write(
                _("PostgreSQL is %(state)s (process %(pid)s).\nURL:  %(url)s\nData: %(data)s\nLog:  %(log)s")
                % {"state": server.state, "pid": server.pid, "url": postgres.url(), "data": server.data_dir, "log": server.log}
            )
        if action == "status" and server.state != "running":
            raise SystemExit(1)


def _as_json(server: postgres.Server) -> dict[str, str | int | None]:
    return {
        "state": server.state,
        "pid": server.pid,
        "url": postgres.url(),
        "data_dir": str(server.data_dir),
        "log": str(server.log),
    }
