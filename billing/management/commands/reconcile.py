import argparse
import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.reconciliation.report import reconcile


class Command(BaseCommand):
    help = (
        "Recompute rollups from events, lines from prices, totals from lines, and check the invariants I1 to I10. "
        "Exit status 1 on any difference, naming the rows. What is still to come (late usage that the next invoice will carry, "
        "PDFs in the queue), and usage that no charge takes, are told and are no difference."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, **options: Any) -> None:
        found = reconcile()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found), indent=1, ensure_ascii=False))
        else:
            for difference in found.differences:
                self.stdout.write(difference)
            for pending in found.pending:
                self.stdout.write(_("pending: %(what)s") % {"what": pending})
            for unpriced in found.unpriced:
                self.stdout.write(_("unpriced: %(what)s") % {"what": unpriced})
            for unchecked in found.unchecked:
                self.stdout.write(_("not recomputed: %(what)s") % {"what": unchecked})
        if found.differences:
            count = len(found.differences)
            raise CommandError(ngettext("%(count)d difference", "%(count)d differences", count) % {"count": count})
        if found.unfinished:
            told = _("the database ended what took too long, so nothing is known of: %(names)s")
            raise CommandError(told % {"names": ", ".join(found.unfinished)})
        if not options["json"]:
            self.stdout.write(_("The books agree with the events."))
