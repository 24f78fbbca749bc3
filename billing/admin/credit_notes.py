"""Credit notes in the finance desk: found and looked at; they are written from the page of their invoice or subscription."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.admin.asking import asked, asked_where_to, posted
from billing.admin.credit_note_page import credit_note_page, settled_words
from billing.admin.pdfs import pdf_page
from billing.admin.shown import day, link, money
from billing.delivery.resending import resend_credit_note
from billing.invoicing.crediting.issuing import mark_refunded
from billing.invoicing.crediting.settling import UnableToCredit
from billing.models import CreditNote
from squill.lib import clock
from squill.web.admin_pages import ReadOnlyAdmin, actor_of, detail_action


class RefundForm(forms.Form):
    """That money was paid back."""

    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=140,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("What the bank calls it."),
    )


class RefundFilter(admin.SimpleListFilter):
    """Whether money is still to be paid back."""

    title = gettext_lazy("paying back")
    parameter_name = "refund"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("open", _("to be paid back")), ("done", _("paid back"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        if self.value() is None:
            return queryset
        return queryset.filter(to_refund_minor__gt=0, refunded_at__isnull=self.value() == "open")


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnlyAdmin):
    """All credit notes, newest first."""

    list_display = ("number", "customer_link", "invoice_link", "issued", "reason", "amount", "settlement")
    list_select_related = ("customer", "invoice")
    list_filter = (RefundFilter, "reason", ("customer", AutocompleteSelectFilter), "currency", ("issued_on", RangeDateFilter))
    list_filter_submit = True
    search_fields = ("number", "invoice__number", "customer__name", "customer__external_id", "reference")
    ordering = ("-issued_on", "-pk")
    change_form_template = "admin/billing/credit_note.html"
    fields = ()
    inlines = ()
    actions_detail = ("mark_refunded", "resend")

    class Media:
        css = {"all": ("squill/desk.css",)}

    @admin.display(description=gettext_lazy("customer"), ordering="customer__name")
    def customer_link(self, note: CreditNote) -> SafeString:
        """Return the way to the customer."""
        return link("customers_customer", note.customer_id, note.customer)

    @admin.display(description=gettext_lazy("invoice"), ordering="invoice__number")
    def invoice_link(self, note: CreditNote) -> SafeString:
        """Return the way to the invoice that it corrects."""
        return link("billing_invoice", note.invoice_id, note.invoice)

    @admin.display(description=gettext_lazy("issued"), ordering="issued_on")
    def issued(self, note: CreditNote) -> str:
        """Return the day on it."""
        return day(note.issued_on)

    @admin.display(description=gettext_lazy("amount"), ordering="total_minor")
    def amount(self, note: CreditNote) -> str:
        """Return what is credited with its currency."""
        return money(note.total_minor, note.currency)

    @admin.display(description=gettext_lazy("what becomes of it"))
    def settlement(self, note: CreditNote) -> str:
        """Return what becomes of it in words."""
        return " ".join(settled_words(note))

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change credit notes."""
        return bool(request.user.has_perm("billing.change_creditnote"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        is_open = CreditNote.objects.filter(pk=object_id, to_refund_minor__gt=0, refunded_at=None).exists()
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if is_open or one.action_name != "billing_creditnote_mark_refunded"]

    @detail_action(title=gettext_lazy("Mark as paid back"), path="refunded", icon="payments", permission="act")
    def mark_refunded(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for what the bank calls it, then mark it."""
        note = get_object_or_404(CreditNote.objects.select_related("customer"), pk=object_id)
        amount = money(note.to_refund_minor, note.currency)

        def run(values: Mapping[str, Any]) -> str:
            mark_refunded(credit_note_id=note.pk, reference=values["reference"], actor=actor_of(request), now=clock.now())
            return _("%(number)s is marked as paid back.") % {"number": note.number}

        return asked(
            self,
            request,
            note,
            title=_("Mark as paid back"),
            question=_("Have %(amount)s of %(number)s been paid back to %(customer)s?")
            % {"amount": amount, "number": note.number, "customer": note.customer},
            form=RefundForm(posted(request)),
            run=run,
            refusals=(UnableToCredit,),
            is_final=True,
        )

    @detail_action(title=gettext_lazy("Resend"), path="resend", icon="forward_to_inbox", permission="act")
    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask where to, then send it again."""
        note = get_object_or_404(CreditNote.objects.select_related("customer"), pk=object_id)

        def send(address: str) -> str:
            resend_credit_note(credit_note_id=note.pk, recipient=address, actor=actor_of(request), now=clock.now())
            return _("%(number)s is on its way to %(address)s.") % {"number": note.number, "address": address}

        return asked_where_to(
            self,
            request,
            note,
            title=_("Resend"),
            question=_("Send %(number)s with its PDF once more?") % {"number": note},
            send=send,
        )

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """Show the credit note itself in the place of a form."""
        if obj is not None:
            context = context | {"page": credit_note_page(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the credit notes with what they are about, in one query."""
        return super().get_queryset(request).select_related("customer", "invoice")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Add the PDF."""
        return (("<int:object_id>/pdf/", "billing_creditnote_pdf", self.pdf),)

    def pdf(self, request: HttpRequest, object_id: int, model_admin: Any = None) -> HttpResponse:
        """
        Show the kept PDF to those who may see credit notes.

        :raises Http404: while it has not been rendered yet
        """
        note = get_object_or_404(CreditNote, pk=object_id)
        if not self.has_view_permission(request, note):
            raise PermissionDenied
        return pdf_page(request, note)
