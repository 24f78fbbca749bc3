"""The kept PDFs in the finance desk."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from billing.delivery.documents import document_name, document_of
from billing.delivery.serving import DocumentUnavailable, serve_document
from billing.invoicing.dispatch import About


def pdf_page(request: HttpRequest, about: About) -> HttpResponse:
    """
    Show the PDF of an invoice, a credit note or a payment's receipt; the caller has checked that the person may see it.

    A file that cannot be handed out leads back to the page of what it is about, which then says so.

    :raises Http404: while it has not been rendered
    """
    document = document_of(about)
    if document is None:
        raise Http404(_("The PDF has not been made yet."))
    try:
        return serve_document(document, filename=document_name(about), request=request)
    except DocumentUnavailable as unavailable:
        messages.error(request, str(unavailable))
        return redirect(f"admin:{about._meta.app_label}_{about._meta.model_name}_change", about.pk)
