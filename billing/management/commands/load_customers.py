import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from billing.subscriptions.loading import LoadError, load_customers
from squill.lib import clock
from squill.lib.actor import system
from usage.ingestion import replay_waiting


class Command(BaseCommand):
    help = (
        "Create customers with their subscriptions from NDJSON, one customer a line: "
        '{"external_id", "name", "email", "currency", "timezone", …, "subscriptions": [{"plan", "starts_at", "ends_at", '
        '"external_id", "trial_days", "quantities"}]}. '
        "Can be repeated: what is there is left as it is. All or nothing. - reads standard input."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, file: str, **options: Any) -> None:
        now = clock.now()
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
            report = load_customers(text.split("\n"), actor=system("load_customers"), now=now)
        except OSError as error:
            raise CommandError(_("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}) from None
        except UnicodeDecodeError:
            raise CommandError(_("%(file)s is not UTF-8 text") % {"file": file}) from None
        except LoadError as error:
            raise CommandError(f"{file}: {error}\n" + _("Nothing was changed.")) from None
        replay_waiting(now=now)
        counts = dataclasses.asdict(report)
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        else:
            words = _("customers: %(customers_created)d created, %(customers_known)d known · subscriptions: ")
            words += _("%(subscriptions_started)d started, %(subscriptions_known)d known")
            self.stdout.write(words % counts)
