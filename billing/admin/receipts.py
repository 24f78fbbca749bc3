"""What is done with the receipt of a payment in the finance desk: looked at, and sent."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.asking import asked_where_to
from billing.admin.pdfs import pdf_page
from billing.delivery.resending import send_receipt
from billing.models import Payment
from squill.lib import clock
from squill.web.admin_pages import actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import ReadOnlyAdmin as _Admin
else:
    _Admin = object


class ReceiptActions(_Admin):
    """The buttons of a payment's page that are about its receipt."""

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change invoices."""
        return bool(request.user.has_perm("billing.change_invoice"))

    @detail_action(title=gettext_lazy("Send receipt"), path="send-receipt", icon="forward_to_inbox", permission="send")
    def send_receipt(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask where to, then send it."""
        payment = get_object_or_404(Payment.objects.select_related("customer"), pk=object_id)

        def send(address: str) -> str:
            send_receipt(payment_id=payment.pk, recipient=address, actor=actor_of(request), now=clock.now())
            return _("The receipt is on its way to %(address)s.") % {"address": address}

        return asked_where_to(
            self,
            request,
            payment,
            title=_("Send receipt"),
            question=_("Send a receipt of the payment %(reference)s as a PDF?") % {"reference": payment.reference},
            send=send,
        )

    @admin.display(description=gettext_lazy("receipt"))
    def receipt_link(self, payment: Payment) -> SafeString:
        """Return the way to the receipt, where one was made."""
        if not hasattr(payment, "receipt"):
            return SafeString("–")
        return format_html('<a class="desk-link" href="{}">PDF</a>', reverse("admin:billing_payment_receipt", args=[payment.pk]))

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Add the receipt."""
        return (("<int:object_id>/receipt/", "billing_payment_receipt", self.receipt_pdf),)

    def receipt_pdf(self, request: HttpRequest, object_id: int, model_admin: Any = None) -> HttpResponse:
        """
        Show the kept receipt to those who may see payments.

        :raises Http404: while there is none
        """
        payment = get_object_or_404(Payment, pk=object_id)
        if not self.has_view_permission(request, payment):
            raise PermissionDenied
        return pdf_page(request, payment)
