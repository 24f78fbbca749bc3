"""`manage.py put_away_events`: take months of events that nothing needs any more out of the way."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from squill.lib import clock
from squill.lib.actor import system
from usage.ingestion.partitions import put_away_table
from usage.retention import MonthReport, Outcome, put_away_due


class Command(BaseCommand):
    """Put away the months of events that are old enough and closed, and say for each what was done or what holds it."""

    help = (
        "Put away the events of every UTC month that ended SQUILL_EVENTS_RETENTION_MONTHS months ago or earlier, once every "
        "billing period in it is billed and nothing of it waits in quarantine. Its events then lie in a table of their own, "
        "usage_event_YYYY_MM_put_away, ready to be dumped and dropped; totals by day stay. Says for each such month what was "
        "done or what holds it. Running it again, or twice at once, does no harm."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        reports = put_away_due(now=clock.now(), actor=system("put_away_events"), dry_run=dry_run)
        months = settings.SQUILL_EVENTS_RETENTION_MONTHS
        if options["json"]:
            told = {"retention_months": months, "months": [_members(report) for report in reports]}
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        for report in reports:
            self.stdout.write(_words(report))
        if not months:
            self.stdout.write(_("SQUILL_EVENTS_RETENTION_MONTHS is 0: events are kept for ever."))
        elif not reports:
            self.stdout.write(_("No month is due."))


def _members(report: MonthReport) -> dict[str, Any]:
    return {
        "month": f"{report.month:%Y-%m}",
        "outcome": report.outcome,
        "events": report.event_count,
        "table": put_away_table(report.month) if report.outcome is Outcome.PUT_AWAY else None,
        "held_by": list(report.held_by),
    }


def _words(report: MonthReport) -> str:
    named = {"month": f"{report.month:%Y-%m}", "events": report.event_count, "table": put_away_table(report.month)}
    match report.outcome:
        case Outcome.PUT_AWAY:
            return _("%(month)s is put away: %(events)s events, in the table %(table)s") % named
        case Outcome.DUE:
            return _("%(month)s would be put away") % named
        case Outcome.BUSY:
            return _("%(month)s is busy: its events are read or counted just now, the next run tries again") % named
        case Outcome.HELD:
            return "\n  ".join([_("%(month)s is held:") % named, *report.held_by])
