"""Hand a kept PDF to whoever may have it: from disk through us, checked; from S3 by a link that the storage signs for minutes."""

import logging
from typing import Final

from django.core.files.storage import FileSystemStorage
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.utils.translation import gettext as _

from billing.delivery.documents import DocumentDamaged, documents_storage, read_document
from billing.models import Document

logger = logging.getLogger(__name__)
PDF: Final = "application/pdf"


class DocumentUnavailable(Exception):
    """The stored file is gone, or is not the one that was rendered; the message is for a person, and the log has the rest."""


def serve_document(document: Document, *, filename: str, request: HttpRequest, as_attachment: bool = False) -> HttpResponse:
    """
    Answer with a document, or lead to it. The caller has checked that it may be seen.

    The ETag is the SHA-256 of the bytes, which are checked against it before they are handed out; whoever has it already is told
    so (304). Where documents lie on S3 the bytes do not come through us: a redirect, never cached, leads to a signed link.

    :raises DocumentUnavailable: if the bytes cannot be handed out
    """
    disposition = content_disposition_header(as_attachment=as_attachment, filename=filename) or ""
    storage = documents_storage()
    if not isinstance(storage, FileSystemStorage):
        shown = {"ResponseContentDisposition": disposition, "ResponseContentType": PDF}
        link = storage.url(document.storage_key, parameters=shown)  # type: ignore[call-arg]  # django-storages takes them
        return HttpResponseRedirect(link, headers={"Cache-Control": "no-store"})
    headers = {
        "ETag": quote_etag(document.sha256),
        "Cache-Control": "private, no-cache",
        "Content-Disposition": disposition,
        "X-Content-Type-Options": "nosniff",
    }
    response = HttpResponse(_content(document), content_type=PDF, headers=headers)
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


def _content(document: Document) -> bytes:
    try:
        return read_document(document)
    except DocumentDamaged:
        logger.exception("document %s is damaged", document.storage_key)
    except FileNotFoundError:
        logger.exception("document %s is gone", document.storage_key)
    raise DocumentUnavailable(_("The stored PDF is not the one that was rendered; it is not handed out, and has been logged."))
