import email
import email.policy
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from pytest_django import Settings

BACKEND = "squill.web.mail.FolderBackend"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.EMAIL_FILE_PATH = tmp_path / "not" / "there" / "yet"
    return tmp_path / "not" / "there" / "yet"


def message(subject: str, to: list[str]) -> EmailMultiAlternatives:
    made = EmailMultiAlternatives(subject, "Grüße", "billing@squill.example", to)
    made.attach_alternative("<p>Grüße</p>", "text/html")
    made.attach("invoice.pdf", b"%PDF-1.7 \xff", "application/pdf")
    return made


def test_each_message_is_a_file_that_a_mail_program_reads(folder: Path) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, 30, tzinfo=UTC), tick=True):
        count = get_connection(BACKEND).send_messages(
            [message("First", ["a@example.com"]), message("Zweite ü", ["b@example.com"])]
        )
    files = sorted(folder.iterdir())
    assert (count, len(files)) == (2, 2)
    assert all(file.name.startswith("20260301T1230") and file.suffix == ".eml" for file in files)
    parsed = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
    assert [(one["Subject"], one["To"]) for one in parsed] == [("First", "a@example.com"), ("Zweite ü", "b@example.com")]
    body = parsed[1].get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == "Grüße"
    [attached] = parsed[1].iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("invoice.pdf", b"%PDF-1.7 \xff")
    assert parsed[0]["Message-ID"].strip("<>") in files[0].name


def test_only_the_owner_can_read_them(folder: Path) -> None:
    get_connection(BACKEND).send_messages([message("x", ["a@example.com"])])
    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_message_to_nobody_is_not_written(folder: Path) -> None:
    assert get_connection(BACKEND).send_messages([EmailMessage("x", "y", to=[])]) == 0
    assert list(folder.iterdir()) == []


def test_a_message_id_cannot_leave_the_folder(folder: Path) -> None:
    hostile = EmailMessage("x", "y", to=["a@example.com"], headers={"Message-ID": "<../../evil/\0" + "a" * 500 + ">"})
    get_connection(BACKEND).send_messages([hostile])
    [file] = folder.iterdir()
    assert file.parent == folder
    assert "/" not in file.name.removeprefix(str(folder))
