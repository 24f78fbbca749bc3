"""
The one PDF of a final invoice, a credit note or a receipt (I10).

Rendered from its snapshot, stored under a name that its content decides, its hash kept, and checked whenever it is read.
"""

import hashlib
import re
from datetime import date, datetime
from typing import IO, Final, cast

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from billing.delivery.logos import logo_of
from billing.delivery.receipts import receipt_number, receipt_snapshot
from billing.invoicing.dispatch import About
from billing.invoicing.snapshot import InvoiceSnapshot, from_json
from billing.models import CreditNote, Document, Invoice, Payment
from squill.aws import metrics

_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9]+")


class DocumentDamaged(Exception):
    """The stored bytes are not the ones that were rendered: somebody changed the file. It must not be handed out."""


def documents_storage() -> Storage:
    """Return where documents are kept: disk, or S3 where a bucket is named."""
    return storages["documents"]


def document_of(about: About) -> Document | None:
    """Return the kept document of a thing, or None while it has not been rendered. One query."""
    return Document.objects.filter(**_owner(about)).first()


def document_name(about: About) -> str:
    """Return what the PDF is called where a person meets it, such as `INV-000001.pdf`."""
    name = receipt_number(about) if isinstance(about, Payment) else about.number
    return f"{name}.pdf"


def snapshot_of(about: About, *, as_of: datetime) -> InvoiceSnapshot:
    """
    Return what a document prints: kept with an invoice and a credit note, worked out for a receipt by what was paid `as_of`.

    :raises ValueError: of a draft, which prints nothing yet
    """
    if isinstance(about, Payment):
        return receipt_snapshot(about, as_of=as_of)
    if isinstance(about, Invoice) and about.status == Invoice.Status.DRAFT:
        raise ValueError("a draft has no document: finalise it first")
    return from_json(about.snapshot)


def ensure_document(about: About, *, now: datetime) -> Document:
    """
    Render and store the PDF of a final invoice, a credit note or a receipt, once; the second call returns what is there.

    Takes no lock: rendering and storing come first, and since the key is made of the content's hash, doing it twice stores the
    same bytes under the same name. The row that is written first counts, by its unique constraint.

    :raises ValueError: if it is a draft of an invoice
    """
    known = document_of(about)
    if known is not None:
        return known
    snapshot = snapshot_of(about, as_of=now)
    content, renderer = _draw(snapshot)
    digest = hashlib.sha256(content).hexdigest()
    document, created = Document.objects.get_or_create(
        **_owner(about),
        defaults={
            "storage_key": _store(_key(about, digest), content),
            "sha256": digest,
            "size_bytes": len(content),
            "renderer": renderer,
            "rendered_at": now,
        },
    )
    metrics.count("DocumentsStored", int(created))
    return document


def _draw(snapshot: InvoiceSnapshot) -> tuple[bytes, str]:
    """Return the PDF, and what drew it."""
    from billing.delivery.rendering.pdf import render_pdf, renderer_version  # noqa: PLC0415 (Pango only where PDFs are made)

    return render_pdf(snapshot, logo=logo_of(snapshot)), renderer_version()


def _key(about: About, digest: str) -> str:
    """Name the file by kind, year and content; the number is in it for people who look into the store."""
    kinds: dict[type[About], str] = {Invoice: "invoices", CreditNote: "credit-notes", Payment: "receipts"}
    day: date = about.received_on if isinstance(about, Payment) else about.issued_on
    name = _NOT_IN_A_NAME.sub("-", document_name(about).removesuffix(".pdf")).strip("-")
    return f"{kinds[type(about)]}/{day:%Y}/{name}-{digest}.pdf"


def _owner(about: About) -> dict[str, About]:
    if isinstance(about, Invoice):
        return {"invoice": about}
    return {"credit_note": about} if isinstance(about, CreditNote) else {"payment": about}


def _store(key: str, content: bytes) -> str:
    """Put the bytes under the key. No row names the key yet, so what lies there and differs is a write that was cut off."""
    storage = documents_storage()
    if storage.exists(key):
        if _read(key) == content:
            return key
        storage.delete(key)
    return storage.save(key, ContentFile(content))


def _read(key: str) -> bytes:
    with cast("IO[bytes]", documents_storage().open(key, "rb")) as file:
        return file.read()


def read_document(document: Document) -> bytes:
    """
    Return the PDF's bytes, checked against the kept hash.

    :raises DocumentDamaged: if they differ
    """
    content = _read(document.storage_key)
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise DocumentDamaged(f"{document.storage_key} does not have the hash that was kept")
    return content
