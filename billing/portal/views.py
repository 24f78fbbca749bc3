"""The portal's pages about money. Everything is looked up among the signed-in person's own customer (I12)."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_safe

from billing.delivery.documents import read_document
from billing.models import Invoice, InvoiceDocument
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
    """List the customer's final invoices, newest first."""
    newest = _final_invoices(customer).select_related("document").order_by("-issued_on", "-pk")
    page = Paginator(newest, INVOICES_PER_PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    context: dict[str, Any] = {"page": page, "rows": [invoice_row(one, customer, now=now) for one in page]}
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
    invoice = get_object_or_404(_final_invoices(customer), number=number)
    document = InvoiceDocument.objects.filter(invoice=invoice).first()
    if document is None:
        raise Http404(_("The PDF of this invoice is being made. Try again in a minute."))
    headers = {"Content-Disposition": f'attachment; filename="{invoice.number}.pdf"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(read_document(document), content_type="application/pdf", headers=headers)


def _final_invoices(customer: Customer) -> QuerySet[Invoice]:
    """Return what a customer may see: drafts are nobody's business yet."""
    return Invoice.objects.filter(customer=customer).exclude(status=Invoice.Status.DRAFT)
