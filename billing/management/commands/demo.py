import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from billing.delivery.jobs import run_waiting_jobs
from billing.management.demo import people
from billing.management.demo.story import Stage, tell_story
from billing.models import BillingEntity, Invoice
from customers.models import Customer
from customers.portal_access import sign_in_link
from squill.lib import clock

DEFAULT_SEED = 20260301
# Written while the server comes up, so that the first page need not wait for eighty PDFs.
_BANNER = """
Squill is ready.

  Finance desk   {base}/admin/
                 {finance}  password {finance_password}
                 {admin}    password {admin_password}
  Portal         {link}
                 (lets {portal} in once; for another link ask at {base}/portal/ and look into {mail})
  API            {base}/api/docs
  Documents      {documents}

  A first number, what one customer has spent in this month so far:

    curl -s -H 'Authorization: Bearer {key}' \\
      '{base}/api/v1/customers/{customer}/upcoming_invoice'
"""


class Command(BaseCommand):
    help = (
        "Fill an empty Squill with months of believable data and print where to look: URLs, logins, an API key and a curl. "
        "The same seed and the same day make the same books. Run again, it leaves the data as it is."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
        parser.add_argument(
            "--serve", action="store_true", help="then serve on 127.0.0.1:$PORT, with a worker for PDFs and mails"
        )

    def handle(self, *, seed: int, serve: bool, **_options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError(_("The demo writes invented customers and passwords: not in production."))
        address = f"127.0.0.1:{settings.PORT}"
        if serve and not _is_free(address):
            raise CommandError(_("%(address)s is taken by another program. Try PORT=8001 make demo") % {"address": address})
        call_command("migrate", verbosity=0)
        access = people.known_access()
        if access is None:
            access = self._fill(seed)
        if not serve:
            run_waiting_jobs()
            self._print_banner(access)
            return
        self._serve(access, address)

    def _fill(self, seed: int) -> people.Access:
        if Customer.objects.exists() or Invoice.objects.exists():
            raise CommandError(
                _("There is data here already that the demo did not make. Give it a home of its own: SQUILL_HOME=… make demo")
            )
        started = time.monotonic()
        now = clock.now()
        tell_story(Stage(now, seed), lambda chapter: self.stdout.write(f"  {chapter}"))
        access = people.let_people_in(now)
        self.stdout.write(f"  done in {time.monotonic() - started:.0f} s")
        return access

    def _serve(self, access: people.Access, address: str) -> None:
        """Run the server and the worker until the first of them ends or somebody stops us; then end the other."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        bin_dir = Path(sys.executable).parent
        server = [
            str(bin_dir / "gunicorn"),
            "squill.wsgi",
            "--bind",
            address,
            "--workers",
            "2",
            "--threads",
            "4",
            "--log-level",
            "warning",
        ]
        worker = [sys.executable, str(settings.CHECKOUT / "manage.py"), "worker"]
        environment = {"SQUILL_COMPANY_NAME": BillingEntity.objects.get(is_default=True).name, **os.environ}
        processes = [subprocess.Popen(command, cwd=settings.CHECKOUT, env=environment) for command in (server, worker)]  # noqa: S603 (our own)
        try:
            while _is_free(address) and processes[0].poll() is None:
                time.sleep(1)
            if processes[0].poll() is None:
                self._print_banner(access)
                self.stdout.write(_("  Stop with Ctrl-C; PDFs and mails are being made meanwhile.\n"))
                self.stdout.flush()
            while all(process.poll() is None for process in processes):
                time.sleep(1)
        except KeyboardInterrupt:
            pass
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()
        if processes[0].returncode not in (0, -signal.SIGTERM, -signal.SIGINT):
            raise CommandError(_("The server has ended; what it wrote stands above."))

    def _print_banner(self, access: people.Access) -> None:
        self.stdout.write(
            _BANNER.format(
                base=settings.SQUILL_BASE_URL,
                finance=people.FINANCE_EMAIL,
                finance_password=access.finance_password,
                admin=people.ADMIN_EMAIL,
                admin_password=access.admin_password,
                portal=people.PORTAL_EMAIL,
                link=sign_in_link(people.portal_user()),
                mail=settings.EMAIL_FILE_PATH,
                documents=settings.SQUILL_HOME / "documents",
                key=access.api_key,
                customer=people.PORTAL_CUSTOMER,
            )
        )


def _is_free(address: str) -> bool:
    """Say whether nobody listens at host:port."""
    host, _colon, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0
