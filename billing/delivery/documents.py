"""The one PDF of a final invoice: rendered from its snapshot, stored under a name that its content decides, hash kept (I10)."""

import hashlib
from datetime import datetime
from typing import IO, cast

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction

from billing.invoicing.snapshot import from_json
from billing.locks import lock_invoice
from billing.models import Invoice, InvoiceDocument


class DocumentDamaged(Exception):
    """The stored bytes are not the ones that were rendered: somebody changed the file. It must not be handed out."""


def documents_storage() -> Storage:
    """Return where documents are kept: disk, or S3 where a bucket is named."""
    return storages["documents"]


def ensure_document(*, invoice_id: int, now: datetime) -> InvoiceDocument:
    """
    Render and store the PDF of a final invoice, once; the second call returns what is there.

    The invoice is locked only while the row is written: rendering and storing come first, and since the key is made of
    the content's hash, doing it twice stores the same bytes under the same name.

    :raises ValueError: if the invoice is a draft
    """
    known = InvoiceDocument.objects.filter(invoice_id=invoice_id).first()
    if known is not None:
        return known
    invoice = Invoice.objects.get(pk=invoice_id)
    if invoice.status == Invoice.Status.DRAFT:
        raise ValueError("a draft has no document: finalise it first")
    from billing.delivery.rendering.pdf import render_invoice_pdf, renderer_version  # noqa: PLC0415 (Pango only where PDFs are made)

    content = render_invoice_pdf(from_json(invoice.snapshot))
    digest = hashlib.sha256(content).hexdigest()
    key = f"invoices/{invoice.issued_on:%Y}/{invoice.number}-{digest[:16]}.pdf"
    key = _store(key, content)
    with transaction.atomic():
        lock_invoice(invoice_id)
        document, _created = InvoiceDocument.objects.get_or_create(
            invoice_id=invoice_id,
            defaults={
                "storage_key": key,
                "sha256": digest,
                "size_bytes": len(content),
                "renderer": renderer_version(),
                "rendered_at": now,
            },
        )
    return document


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


def read_document(document: InvoiceDocument) -> bytes:
    """
    Return the PDF's bytes, checked against the kept hash.

    :raises DocumentDamaged: if they differ
    """
    content = _read(document.storage_key)
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise DocumentDamaged(f"{document.storage_key} does not have the hash that was kept")
    return content
