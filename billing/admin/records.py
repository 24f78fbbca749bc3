"""Payments and deliveries, to read: they are made on the page of their invoice."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from billing.admin.shown import DELIVERY_COLORS, day, label_column, link, money
from billing.models import Delivery, Payment
from squill.web.admin_pages import ReadOnlyAdmin


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Money that has come in, newest first."""

    list_display = ("received", "amount", "invoice_link", "customer", "method", "reference", "recorded_by")
    list_select_related = ("invoice__customer",)
    search_fields = ("reference", "invoice__number", "invoice__customer__name")
    list_filter = ("method", "invoice__currency")
    date_hierarchy = "received_on"
    ordering = ("-received_on", "-pk")
    fields = (("invoice_link", "customer"), ("amount", "received_on"), ("method", "reference"), ("recorded_by", "recorded_at"))
    readonly_fields = ("invoice_link", "customer", "amount")

    class Media:
        css = {"all": ("squill/desk.css",)}

    @admin.display(description=gettext_lazy("received"), ordering="received_on")
    def received(self, payment: Payment) -> str:
        """Return the day on which it came in."""
        return day(payment.received_on)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, payment: Payment) -> str:
        """Return the amount with its currency."""
        return money(payment.amount_minor, payment.invoice.currency)

    @admin.display(description=gettext_lazy("invoice"), ordering="invoice__number")
    def invoice_link(self, payment: Payment) -> SafeString:
        """Return the way to the invoice."""
        return link("billing_invoice", payment.invoice_id, payment.invoice)

    @admin.display(description=gettext_lazy("customer"), ordering="invoice__customer__name")
    def customer(self, payment: Payment) -> str:
        """Return who paid."""
        return str(payment.invoice.customer)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Notices and what became of them, newest first."""

    list_display = ("invoice_link", "recipient", "state", "attempts", "queued_at", "sent_at")
    list_select_related = ("invoice",)
    list_filter = ("status",)
    search_fields = ("recipient", "invoice__number", "message_id")
    ordering = ("-queued_at", "-pk")
    fields = (("invoice_link", "kind"), ("recipient", "status"), ("queued_at", "sent_at"), "attempts", "last_error", "message_id")
    readonly_fields = ("invoice_link",)

    class Media:
        css = {"all": ("squill/desk.css",)}

    @admin.display(description=gettext_lazy("invoice"), ordering="invoice__number")
    def invoice_link(self, delivery: Delivery) -> SafeString:
        """Return the way to the invoice."""
        return link("billing_invoice", delivery.invoice_id, delivery.invoice)

    @label_column(description=gettext_lazy("status"), colors=DELIVERY_COLORS, ordering="status")
    def state(self, delivery: Delivery) -> tuple[str, Any]:
        """Return the state as a coloured label."""
        return delivery.status, delivery.get_status_display()
