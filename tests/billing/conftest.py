"""What delivery leaves behind, kept within a test."""

from pathlib import Path

import pytest
from pytest_django import Settings

from billing.invoicing.snapshot import InvoiceSnapshot


@pytest.fixture
def documents(tmp_path: Path, settings: Settings) -> Path:
    """Keep documents in a folder of this test."""
    folder = tmp_path / "documents"
    storages = dict(settings.STORAGES)
    storages["documents"] = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    settings.STORAGES = storages
    return folder


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Draw no PDF, which takes a second: write bytes that name the invoice, and note each drawing by its number."""
    drawn: list[str] = []

    def draw(snapshot: InvoiceSnapshot, *, logo: bytes | None = None) -> bytes:
        drawn.append(snapshot.number)
        return b"%PDF-1.7 " + drawn[-1].encode()

    monkeypatch.setattr("billing.delivery.rendering.pdf.render_pdf", draw)
    return drawn
