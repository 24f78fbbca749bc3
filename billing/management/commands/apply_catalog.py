import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from billing.catalog.apply import Change, apply_catalog, preview_catalog
from billing.catalog.document import read_catalog
from billing.catalog.errors import CatalogError
from squill.lib import clock
from squill.lib.actor import system
from squill.lib.located import LocatedError
from usage.ingestion import replay_waiting


class Command(BaseCommand):
    help = (
        "Make meters, plans and add-ons what a YAML or JSON file says (docs/concepts.md). Idempotent, all or nothing. "
        "A published plan never changes: where the file differs, --new-versions publishes a new version. --dry-run shows first "
        "what would change."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--new-versions", action="store_true", help="publish a new version of plans that differ")
        parser.add_argument("--dry-run", action="store_true", help="say what would be created and changed, and write nothing")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, file: Path, new_versions: bool, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        try:
            spec = read_catalog(file.read_text(encoding="utf-8"))
            actor = system("apply_catalog")
            if dry_run:
                changes = preview_catalog(spec=spec, actor=actor, now=now)
            else:
                changes = apply_catalog(spec=spec, actor=actor, now=now, new_versions=new_versions)
        except OSError as error:
            raise CommandError(_("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}) from None
        except UnicodeDecodeError:
            raise CommandError(_("%(file)s is not UTF-8 text") % {"file": file}) from None
        except (LocatedError, CatalogError) as error:
            raise CommandError(f"{file}: {error}\n" + _("Nothing was changed.")) from None
        if not dry_run:
            replay_waiting(now=now)
        if options["json"]:
            self.stdout.write(json.dumps([_members(change) for change in changes], indent=1, ensure_ascii=False))
            return
        self.stdout.write(_words(changes))
        if dry_run:
            self.stdout.write(_after_dry_run(changes, new_versions=new_versions))


def _members(change: Change) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": change.kind, "what": change.what, "code": change.code}
    if change.currency:
        document |= {"currency": change.currency, "customer": change.customer or None}
    members = [{"field": member.path, "before": member.before, "after": member.after} for member in change.members]
    return {**document, "differences": list(change.differences), "members": members}


def _words(changes: list[Change]) -> str:
    lines: list[str] = []
    for change in changes:
        lines.append(f"{change.label}: {change.kind}")
        lines += [f"  {difference}" for difference in change.differences]
    return "\n".join(lines) or _("The file names nothing.")


def _after_dry_run(changes: list[Change], *, new_versions: bool) -> str:
    if not new_versions and any(change.kind == "changed" and change.what != "meter" for change in changes):
        return _("Nothing was written. Published plans would change: applying the file needs --new-versions.")
    return _("Nothing was written.")
