"""Payments in the finance desk: found by reference, number or customer, with what they paid; taken back by a service."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter

from billing.admin.payment_actions import PaymentActions
from billing.admin.receipts import ReceiptActions
from billing.admin.shown import day, label_column, link, moment, money
from billing.invoicing.paying.balances import HAS_LEFT
from billing.models import Payment, PaymentAllocation
from squill.web.admin_pages import ReadOnlyAdmin, ReadOnlyInline

_COLORS = {"reversed": "danger", "left": "warning", "used": "success"}


class StateFilter(admin.SimpleListFilter):
    """Reversed payments, those with something left over, and those that are used up."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("left", _("Something left over")), ("used", _("Used up")), ("reversed", _("Reversed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        match self.value():
            case "left":
                return queryset.filter(HAS_LEFT)
            case "used":
                return queryset.filter(~HAS_LEFT, reversed_at=None)
            case "reversed":
                return queryset.exclude(reversed_at=None)
        return queryset


class AllocationInline(ReadOnlyInline):
    """What the payment paid, and what was taken back."""

    model = PaymentAllocation
    fields = ("invoice_link", "amount", "recorded", "recorded_by")
    readonly_fields = fields
    ordering = ("pk",)
    show_title = False
    show_change_link = False
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the allocations with their invoices, in one query."""
        return super().get_queryset(request).select_related("invoice")

    @admin.display(description=gettext_lazy("invoice"))
    def invoice_link(self, allocation: PaymentAllocation) -> SafeString:
        """Return the way to the invoice."""
        return link("billing_invoice", allocation.invoice_id, allocation.invoice)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, allocation: PaymentAllocation) -> str:
        """Return what it paid; negative where that was taken back."""
        return money(allocation.amount_minor, allocation.invoice.currency)

    @admin.display(description=gettext_lazy("recorded"))
    def recorded(self, allocation: PaymentAllocation) -> str:
        """Return when."""
        return moment(allocation.recorded_at)


@admin.register(Payment)
class PaymentAdmin(ReceiptActions, PaymentActions, ReadOnlyAdmin):
    """Money that has come in, newest first."""

    list_display = ("received", "customer_link", "amount", "state", "left", "invoice_link", "method", "reference", "recorded_by")
    list_select_related = ("invoice", "customer")
    search_fields = (
        *("reference", "invoice__number", "allocations__invoice__number", "customer__name", "customer__external_id"),
    )
    list_filter = (
        StateFilter,
        ("customer", AutocompleteSelectFilter),
        "currency",
        "method",
        ("received_on", RangeDateFilter),
    )
    list_filter_submit = True
    date_hierarchy = "received_on"
    ordering = ("-received_on", "-pk")
    inlines = (AllocationInline,)
    fields = (
        ("customer_link", "invoice_link"),
        ("amount", "left"),
        ("received_on", "method"),
        ("reference", "receipt_link"),
        ("recorded_by", "recorded_at"),
        ("reversed_at", "reversal_reason"),
    )
    readonly_fields = ("customer_link", "invoice_link", "amount", "left", "receipt_link")
    actions_detail = (*PaymentActions.actions_detail, "send_receipt")

    class Media:
        css = {"all": ("squill/desk.css",)}

    @admin.display(description=gettext_lazy("received"), ordering="received_on")
    def received(self, payment: Payment) -> str:
        """Return the day on which it came in."""
        return day(payment.received_on)

    @admin.display(description=gettext_lazy("customer"), ordering="customer__name")
    def customer_link(self, payment: Payment) -> SafeString:
        """Return the way to who paid."""
        return link("customers_customer", payment.customer_id, payment.customer)

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        """Return the amount with its currency."""
        return money(payment.amount_minor, payment.currency)

    @label_column(description=gettext_lazy("state"), colors=_COLORS)
    def state(self, payment: Payment) -> tuple[str, Any]:
        """Return what became of it as a coloured label."""
        if payment.reversed_at:
            return "reversed", _("reversed")
        return ("left", _("left over")) if payment.left_minor else ("used", _("used"))

    @admin.display(description=gettext_lazy("left over"))
    def left(self, payment: Payment) -> str:
        """Return what no invoice has taken."""
        return money(payment.left_minor, payment.currency) if payment.left_minor else "–"

    @admin.display(description=gettext_lazy("recorded for"), ordering="invoice__number")
    def invoice_link(self, payment: Payment) -> SafeString:
        """Return the way to the invoice that it was recorded for."""
        return link("billing_invoice", payment.invoice_id, payment.invoice) if payment.invoice_id else SafeString("–")
