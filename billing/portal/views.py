"""The portal's pages about money. Everything is looked up among the signed-in person's own customer (I12)."""

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe
from django.views.defaults import server_error

from billing.delivery.documents import document_name, document_of
from billing.delivery.serving import DocumentUnavailable, serve_document
from billing.invoicing.dispatch import About
from billing.models import CreditNote, Invoice, Payment
from billing.portal.credit_notes import credit_note_row
from billing.portal.invoice_page import invoice_page, invoice_row
from billing.portal.overview import overview_page
from customers.models import Customer
from customers.portal.access import portal_view
from squill.lib import clock

INVOICES_PER_PAGE = 25


@require_safe
@portal_view
def overview(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show the spend so far, what is open, usage by day, and what the plan costs."""
    with override(customer.locale):
        return render(request, "portal/overview.html", overview_page(customer, now=clock.now()))


@require_safe
@portal_view
def invoices(request: HttpRequest, customer: Customer) -> HttpResponse:
    """List the customer's final invoices, newest first, and on the first page its credit notes."""
    newest = _final_invoices(customer).select_related("document").order_by("-issued_on", "-pk")
    page = Paginator(newest, INVOICES_PER_PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    notes = CreditNote.objects.filter(customer=customer).select_related("invoice", "document").order_by("-issued_on", "-pk")
    context: dict[str, Any] = {
        "page": page,
        "rows": [invoice_row(one, customer, now=now) for one in page],
        "credit_notes": [credit_note_row(one, customer) for one in notes] if page.number == 1 else [],
    }
    with override(customer.locale):
        return render(request, "portal/invoices.html", context)


@require_safe
@portal_view
def invoice(request: HttpRequest, customer: Customer, number: str) -> HttpResponse:
    """Show one invoice: what it says, and what each line is made of."""
    found = get_object_or_404(_final_invoices(customer).select_related("document"), number=number)
    with override(customer.locale):
        return render(request, "portal/invoice.html", invoice_page(found, customer, now=clock.now()))


@require_safe
@portal_view
def invoice_pdf(request: HttpRequest, customer: Customer, number: str) -> HttpResponse:
    """Hand out the kept PDF; 404 while it has not been rendered yet."""
    return pdf_download(request, get_object_or_404(_final_invoices(customer), number=number))


@require_safe
@portal_view
def receipt_pdf(request: HttpRequest, customer: Customer, payment_id: UUID) -> HttpResponse:
    """Hand out the receipt of one of the customer's payments; 404 if none was made."""
    return pdf_download(request, get_object_or_404(Payment.objects.filter(customer=customer), public_id=payment_id))


def pdf_download(request: HttpRequest, about: About) -> HttpResponse:
    """
    Hand out the PDF of something that was found among the customer's own.

    :raises Http404: while it has not been rendered
    """
    document = document_of(about)
    if document is None:
        raise Http404(_("The PDF is being made. Try again in a minute."))
    try:
        return serve_document(document, filename=document_name(about), request=request, as_attachment=True)
    except DocumentUnavailable:  # it has been logged; the page says that something failed on our side
        return server_error(request)


@require_safe
@portal_view
def credit_note_pdf(request: HttpRequest, customer: Customer, number: str) -> HttpResponse:
    """Hand out the kept PDF of a credit note; 404 while it has not been rendered yet."""
    return pdf_download(request, get_object_or_404(CreditNote, customer=customer, number=number))


def _final_invoices(customer: Customer) -> QuerySet[Invoice]:
    """Return what a customer may see: drafts are nobody's business yet."""
    return Invoice.objects.filter(customer=customer).exclude(status=Invoice.Status.DRAFT)
