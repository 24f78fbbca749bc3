import argparse
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from billing.accounting.export import export_month
from billing.accounting.period import NotExported, month_of


class Command(BaseCommand):
    help = (
        "Write the books of a month of a billing entity as CSV files: invoices, lines, taxes, discounts, credit notes, payments, "
        "credits, and totals that sum to the books. Exit status 1 if the totals are not what the documents themselves say; the "
        "files are written then too."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--month", required=True, help="such as 2026-03, in the days of the billing entity")
        parser.add_argument("--entity", default="", help="the code of the billing entity; needed where there are several")
        parser.add_argument(
            "--out", type=Path, required=True, help="a .zip file to write, or a folder for the files; those there are replaced"
        )
        parser.add_argument("--bom", action="store_true", help="begin each file with a mark by which Excel knows UTF-8")

    def handle(self, *, month: str, entity: str, out: Path, bom: bool, **options: Any) -> None:
        try:
            period = month_of(month, entity_code=entity)
        except NotExported as error:
            raise CommandError(str(error)) from None
        folder = out.parent if out.suffix == ".zip" else out
        folder.mkdir(parents=True, exist_ok=True)
        # Beside the place where it belongs, and moved there when it is whole.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as place:
            path = Path(place) / "books.zip"
            with path.open("wb") as file:
                totals = export_month(period, file, with_bom=bom)
            if out.suffix == ".zip":
                path.replace(out)
            else:
                with zipfile.ZipFile(path) as archive:
                    archive.extractall(out)
        if totals.differences:
            raise CommandError(
                _("The books of %(name)s do not agree with the documents. %(differences)s. Run manage.py reconcile.")
                % {"name": period.name, "differences": "; ".join(totals.differences)}
            )
        self.stdout.write(
            _("%(name)s is in %(out)s, and its totals agree with the documents.") % {"name": period.name, "out": out}
        )
