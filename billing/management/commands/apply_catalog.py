import argparse
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from billing.catalog.apply import Change, apply_catalog
from billing.catalog.document import read_catalog
from billing.catalog.plans import CatalogError
from squill.lib import clock
from squill.lib.actor import system
from squill.lib.located import LocatedError
from usage.ingestion import replay_waiting


class Command(BaseCommand):
    help = (
        "Make meters and plans what a YAML or JSON file says (docs/concepts.md). Idempotent, all or nothing. "
        "A published plan never changes: where the file differs, --new-versions publishes a new version."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--new-versions", action="store_true", help="publish a new version of plans that differ")
        parser.add_argument("--json", action="store_true", help="report as JSON")

    def handle(self, *, file: Path, new_versions: bool, **options: Any) -> None:
        now = clock.now()
        try:
            spec = read_catalog(file.read_text(encoding="utf-8"))
            changes = apply_catalog(spec=spec, actor=system("apply_catalog"), now=now, new_versions=new_versions)
        except OSError as error:
            raise CommandError(_("%(file)s cannot be read: %(why)s") % {"file": file, "why": error.strerror}) from None
        except UnicodeDecodeError:
            raise CommandError(_("%(file)s is not UTF-8 text") % {"file": file}) from None
        except (LocatedError, CatalogError) as error:
            raise CommandError(f"{file}: {error}\n" + _("Nothing was changed.")) from None
        replay_waiting(now=now)
        self.stdout.write(json.dumps([_members(change) for change in changes], indent=1) if options["json"] else _words(changes))


def _members(change: Change) -> dict[str, Any]:
    return {"kind": change.kind, "what": change.what, "code": change.code, "differences": list(change.differences)}


def _words(changes: list[Change]) -> str:
    lines: list[str] = []
    for change in changes:
        lines.append(f"{change.what} {change.code}: {change.kind}")
        lines += [f"  {difference}" for difference in change.differences]
    return "\n".join(lines) or _("The file names nothing.")
