"""A month as one ZIP of CSV files (RFC 4180, UTF-8), all from one moment of the database."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Final

from django.db import connection, transaction

from billing.accounting.cells import Cell, money, written
from billing.accounting.period import Period
from billing.accounting.tables import TABLES
from billing.accounting.totals import Totals, totals_of

# The same books give the same bytes: files in a ZIP carry a time.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_TOTALS: Final = "totals"
_TOTALS_HEADS: Final = ("account", "currency", "item", "amount")


def export_month(period: Period, to: IO[bytes], *, with_bom: bool = False) -> Totals:
    """
    Write the files of a month into `to` as a ZIP, and return its totals; `differences` says where the books do not agree.

    Rows are written as they are read, so memory stays flat; `to` need not be seekable. All is read in one snapshot of the
    database. `with_bom` puts the mark before each file by which Excel knows UTF-8.
    """
    with _one_moment(), zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in TABLES:
            _write(archive, table.name, table.heads, table.rows(period), with_bom=with_bom)
        totals = totals_of(period)
        rows: Iterator[tuple[Cell, ...]] = (
            (total.account, total.currency, total.item, money(total.amount_minor, total.currency)) for total in totals.rows
        )
        _write(archive, _TOTALS, _TOTALS_HEADS, rows, with_bom=with_bom)
    return totals


def _write(
    archive: zipfile.ZipFile, name: str, heads: Iterable[str], rows: Iterator[tuple[Cell, ...]], *, with_bom: bool
) -> None:
    entry = zipfile.ZipInfo(f"{name}.csv", _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    encoding = "utf-8-sig" if with_bom else "utf-8"
    with archive.open(entry, "w", force_zip64=True) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(heads)
        writer.writerows(written(row) for row in rows)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Read everything as it was at one moment, unless a transaction of the caller has begun already."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
