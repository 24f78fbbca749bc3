"""Invoices in the finance desk: found, looked at, and moved on by services. Nothing on a final one can be edited (I5)."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter

from billing.admin.invoice_actions import InvoiceActions
from billing.admin.invoice_page import invoice_page
from billing.admin.one_off import items_page
from billing.admin.payment_actions import InvoiceMoneyActions
from billing.admin.pdfs import pdf_page
from billing.admin.shown import STANDING_COLORS, day, label_column, link, money, today
from billing.invoicing.standing import Standing, is_overdue, standing
from billing.models import Invoice
from squill.web.admin_pages import ReadOnlyAdmin, list_action


class StandingFilter(admin.SimpleListFilter):
    """Where an invoice stands; the tabs above the list are the same choices."""

    title = gettext_lazy("status")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices in the order of an invoice's life."""
        return [
            ("draft", _("Drafts")),
            ("open", _("Open")),
            ("overdue", _("Overdue")),
            ("paid", _("Paid")),
            ("void", _("Void")),
            ("uncollectible", _("Uncollectible")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list; overdue invoices are open ones as well."""
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen == Standing.OVERDUE:
            return queryset.filter(is_overdue(today=today()))
        return queryset.filter(Q(status=Invoice.Status.FINALIZED) if chosen == Standing.OPEN else Q(status=chosen))


@admin.register(Invoice)
class InvoiceAdmin(InvoiceMoneyActions, InvoiceActions, ReadOnlyAdmin):
    """All invoices, newest first."""

    list_display = ("name", "customer_link", "state", "issued", "due", "amount", "left")
    list_select_related = ("customer",)
    list_filter = (StandingFilter, ("customer", AutocompleteSelectFilter), "currency", ("issued_on", RangeDateFilter))
    list_filter_submit = True
    list_before_template = "admin/billing/invoice_tabs.html"
    search_fields = ("number", "customer__name", "customer__external_id")
    ordering = ("-issued_on", "-pk")
    change_form_template = "admin/billing/invoice.html"
    fields = ()
    inlines = ()
    actions_list = ("new_one_off",)

    class Media:
        css = {"all": ("squill/desk.css",)}

    @list_action(title=gettext_lazy("New one-off invoice"), path="new-one-off", icon="add", permission="act")
    def new_one_off(self, request: HttpRequest) -> HttpResponse:
        """Show the form of an invoice of items, and draft it."""
        return items_page(self, request, None)

    @admin.display(description=gettext_lazy("number"), ordering="number")
    def name(self, invoice: Invoice) -> str:
        """Return the number, or that it is a draft."""
        return invoice.number or _("draft")

    @admin.display(description=gettext_lazy("customer"), ordering="customer__name")
    def customer_link(self, invoice: Invoice) -> SafeString:
        """Return the way to the customer."""
        return link("customers_customer", invoice.customer_id, invoice.customer)

    @label_column(description=gettext_lazy("status"), colors=STANDING_COLORS, ordering="status")
    def state(self, invoice: Invoice) -> tuple[str, Any]:
        """Return where the invoice stands as a coloured label."""
        stands = standing(invoice, today=today())
        return stands.value, stands.label

    @admin.display(description=gettext_lazy("issued"), ordering="issued_on")
    def issued(self, invoice: Invoice) -> str:
        """Return the day on it."""
        return day(invoice.issued_on)

    @admin.display(description=gettext_lazy("due"), ordering="due_on")
    def due(self, invoice: Invoice) -> str:
        """Return the last day to pay it."""
        return day(invoice.due_on)

    @admin.display(description=gettext_lazy("amount"), ordering="due_minor")
    def amount(self, invoice: Invoice) -> str:
        """Return what is due with its currency."""
        return money(invoice.due_minor, invoice.currency)

    @admin.display(description=gettext_lazy("left to pay"))
    def left(self, invoice: Invoice) -> str:
        """Return what has not come in yet."""
        is_open = invoice.status == Invoice.Status.FINALIZED
        return money(invoice.left_minor, invoice.currency) if is_open else "–"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add the tabs: the choices that finance makes most."""
        chosen = request.GET.get(StandingFilter.parameter_name, "")
        tabs = [
            ("", _("All")),
            ("draft", _("Drafts")),
            ("open", _("Open")),
            ("overdue", _("Overdue")),
            ("paid", _("Paid")),
            ("void", _("Void")),
            ("uncollectible", _("Uncollectible")),
        ]
        shown = [{"link": f"?standing={key}" if key else "?", "title": title, "is_current": key == chosen} for key, title in tabs]
        return super().changelist_view(request, (extra_context or {}) | {"standing_tabs": shown})

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """Show the invoice itself in the place of a form."""
        if obj is not None:
            context = context | {"page": invoice_page(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the invoices with what they print, in one query."""
        return (
            super()
            .get_queryset(request)
            .select_related("customer", "billing_entity", "replaces", "subscription__plan_version__plan")
        )

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Add the PDF."""
        return (("<int:object_id>/pdf/", "billing_invoice_pdf", self.pdf),)

    def pdf(self, request: HttpRequest, object_id: int, model_admin: Any = None) -> HttpResponse:
        """
        Show the kept PDF to those who may see invoices.

        :raises Http404: while it has not been rendered yet
        """
        invoice = get_object_or_404(Invoice, pk=object_id)
        if not self.has_view_permission(request, invoice):
            raise PermissionDenied
        return pdf_page(request, invoice)
