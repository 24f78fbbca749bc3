"""Every text of a document is translated into every language, and what is compiled is what was translated (make messages)."""

import shutil
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.utils.translation import override, pgettext

from squill.postgres.home import CHECKOUT


def check(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, checkout / ".ci" / "messages.py", "--check"], capture_output=True, text=True, check=False
    )


def copied(folder: Path) -> Path:
    """Copy what the check reads."""
    for name in (".ci", "billing", "customers", "templates/invoices", "templates/emails", "squill/locale"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("fonts", "__pycache__"))
    return folder


def test_catalogues_are_complete_and_compiled() -> None:
    run = check(CHECKOUT)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_new_text_without_a_translation_is_found(tmp_path: Path) -> None:
    checkout = copied(tmp_path)
    page = checkout / "templates" / "invoices" / "receipt.html"
    page.write_text(page.read_text() + '{% translate "A new text" context "invoice" %}')

    run = check(checkout)

    assert run.returncode == 1
    for language in ("ar", "de", "es", "fr", "ja"):
        assert f"squill/locale/{language}/LC_MESSAGES/django.po: no translation of 'A new text'" in run.stderr


def test_a_stale_compiled_file_is_found(tmp_path: Path) -> None:
    checkout = copied(tmp_path)
    catalogue = checkout / "squill" / "locale" / "de" / "LC_MESSAGES" / "django.po"
    catalogue.write_text(catalogue.read_text().replace('msgstr "Rechnung"', 'msgstr "Faktura"'))

    run = check(checkout)

    assert run.returncode == 1
    assert run.stderr == "squill/locale/de/LC_MESSAGES/django.mo: not what the sources and translations say: make messages\n"


def test_every_language_of_the_settings_has_a_catalogue() -> None:
    codes = {code for code, _name in settings.LANGUAGES} - {"en"}
    assert {path.name for path in (CHECKOUT / "squill" / "locale").iterdir()} == codes
    for code in codes:
        with override(code):
            assert pgettext("language of the translated document, as BCP 47", "en") == code
