"""The books of a month as files."""

import zipfile
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.billing.accounting.books import february
from tests.billing.builders import sql, triggers_off

pytestmark = pytest.mark.django_db


def export(out: Path, *options: str) -> str:
    said = StringIO()
    call_command("export_accounting", "--month", "2026-02", "--out", str(out), *options, stdout=said)
    return said.getvalue()


def test_a_zip_or_a_folder_is_written(tmp_path: Path) -> None:
    february()
    out = tmp_path / "new" / "books.zip"
    assert export(out) == f"default-2026-02 is in {out}, and its totals agree with the documents.\n"
    export(tmp_path / "folder", "--entity", "default", "--bom")
    with zipfile.ZipFile(out) as archive:
        names = sorted(archive.namelist())
        assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == names
        marked = (tmp_path / "folder" / "totals.csv").read_bytes()
        assert marked == b"\xef\xbb\xbf" + archive.read("totals.csv")
    assert sorted(path.name for path in out.parent.iterdir()) == ["books.zip"]


def test_books_that_do_not_agree_are_written_and_said(tmp_path: Path) -> None:
    february()
    with triggers_off():
        sql("UPDATE billing_invoice SET paid_minor = 400 WHERE number = 'INV-000001'")
    with pytest.raises(CommandError, match="movements come to 1900, the documents say 2000"):
        export(tmp_path / "books.zip")
    assert (tmp_path / "books.zip").exists()


def test_a_seller_that_is_not_there_is_said(tmp_path: Path) -> None:
    february()
    with pytest.raises(CommandError, match=r"There is no billing entity nobody\. There are: default"):
        export(tmp_path / "books.zip", "--entity", "nobody")
    assert list(tmp_path.iterdir()) == []
