import argparse
import json
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.invoicing.moving import Move, MovePreview, move_subscriptions, preview_moves
from billing.management.rerated import as_members, in_words
from billing.subscriptions.changing import When
from billing.subscriptions.refusals import SubscriptionError
from squill.lib import clock
from squill.lib.actor import system


class Command(BaseCommand):
    help = (
        "Move the subscriptions of a plan that are on an older version to the one that is sold to their customers now, at the "
        "prices that apply from then on. Begin with --dry-run: it changes nothing, and says for each what its last billed period "
        "would have cost and which moves will be refused. A subscription that is refused stays as it is, the others are moved; "
        "running it again moves only what is left. Exit status 1 if one is refused."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("plan", help="the plan's code")
        parser.add_argument(
            "--when",
            choices=("now", "period_end"),
            required=True,
            help="from today, which cuts the running period (fees by days, usage by the price of its day), or from its end",
        )
        parser.add_argument(
            "--subscription", action="append", metavar="ID", help="only this one, by its external id; can be given many times"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what it would mean")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, plan: str, subscription: list[str] | None, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        when: When = now if options["when"] == "now" else "period_end"
        try:
            if dry_run:
                previews = preview_moves(plan, when=when, now=now, only=subscription)
            else:
                report = move_subscriptions(plan, when=when, actor=system("move_subscriptions"), now=now, only=subscription)
                previews = (MovePreview(move=move, last_period=None) for move in (*report.moved, *report.refused))
        except SubscriptionError as error:
            raise CommandError(error.message) from None
        moves = self._tell_json(previews, dry_run) if options["json"] else self._tell_words(previews, dry_run, plan)
        if refused := sum(move.refusal is not None for move in moves):
            message = ngettext("%(count)d subscription is refused", "%(count)d subscriptions are refused", refused)
            raise CommandError(message % {"count": refused})

    def _tell_json(self, previews: Iterable[MovePreview], dry_run: bool) -> list[Move]:
        found = list(previews)
        told = {"dry_run": dry_run, "moves": [_members(preview) for preview in found]}
        self.stdout.write(json.dumps(told, indent=1, ensure_ascii=False))
        return [preview.move for preview in found]

    def _tell_words(self, previews: Iterable[MovePreview], dry_run: bool, plan: str) -> list[Move]:
        moves: list[Move] = []
        for preview in previews:
            self.stdout.write(_words(preview))
            moves.append(preview.move)
        if moves:
            words = _("%(count)d would be moved") if dry_run else _("%(count)d moved")
            self.stdout.write(words % {"count": sum(move.refusal is None for move in moves)})
        else:
            self.stdout.write(_("No subscription of %(plan)s is on an older version.") % {"plan": plan})
        return moves


def _members(preview: MovePreview) -> dict[str, Any]:
    move, period = preview.move, preview.last_period
    return {
        "customer": move.customer,
        "subscription": move.subscription,
        "from_version": move.from_version,
        "to_version": move.to_version,
        "effective_on": move.effective_on.isoformat() if move.effective_on else None,
        "refusal": {"code": move.refusal.code, "message": move.refusal.message} if move.refusal else None,
        "last_period": as_members(period) if period else None,
    }


def _words(preview: MovePreview) -> str:
    move = preview.move
    words = f"{move.customer} · {move.subscription} · {_decided(move)}"
    return words if preview.last_period is None else f"{words}; {in_words(preview.last_period)}"


def _decided(move: Move) -> str:
    if move.refusal is not None:
        return _("stays on version %(version)d: %(why)s") % {"version": move.from_version, "why": move.refusal.message}
    values = {"from": move.from_version, "to": move.to_version, "day": move.effective_on}
    return _("version %(from)d → %(to)d from %(day)s") % values
