"""The form of a one-off invoice: whom it is for, its items a row each, terms and a note."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.forms.formsets import BaseFormSet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from billing.admin.asking import posted
from billing.invoicing.items import Item, ItemsRefused, kept_items
from billing.invoicing.one_off import UnableToEdit, change_items, draft_one_off
from billing.models import Invoice
from customers.models import Customer
from squill.lib import clock
from squill.lib.decimals import plain
from squill.web.admin_pages import actor_of

if TYPE_CHECKING:
    type _Rows = BaseFormSet[ItemForm]  # generic for the type checker alone
else:
    _Rows = BaseFormSet

_EMPTY_ROWS = 3


class OneOffForm(forms.Form):
    """Whom a one-off invoice is for; the customer is fixed once there is a draft."""

    customer = forms.ModelChoiceField(label=gettext_lazy("Customer"), queryset=Customer.objects.filter(archived_at=None))
    payment_terms_days = forms.IntegerField(
        label=gettext_lazy("Days to pay"),
        required=False,
        min_value=0,
        max_value=365,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Empty: as the customer's other invoices."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Printed on the invoice."),
    )

    def __init__(self, *args: Any, site: Any, is_known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_known:
            del self.fields["customer"]
            return
        field: Any = self.fields["customer"]
        # Finds by what is typed: there may be more customers than a list can show.
        field.widget = AutocompleteSelect(Invoice._meta.get_field("customer"), site)
        field.widget.choices = field.choices


class ItemForm(forms.Form):
    """One item; a row without a description and price is left out."""

    description = forms.CharField(label=gettext_lazy("Description"), max_length=255, widget=UnfoldAdminTextInputWidget)
    quantity = forms.DecimalField(
        label=gettext_lazy("Quantity"), max_digits=27, decimal_places=12, widget=UnfoldAdminDecimalFieldWidget
    )
    unit = forms.CharField(label=gettext_lazy("Unit"), max_length=32, required=False, widget=UnfoldAdminTextInputWidget)
    unit_amount = forms.DecimalField(
        label=gettext_lazy("Price"), max_digits=27, decimal_places=12, widget=UnfoldAdminDecimalFieldWidget
    )
    tax_class = forms.CharField(label=gettext_lazy("Tax class"), max_length=32, required=False, widget=UnfoldAdminTextInputWidget)
    tax_rate = forms.DecimalField(
        label=gettext_lazy("Tax %, if not by the rules"),
        required=False,
        min_value=0,
        max_value=100,
        max_digits=7,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
    )

    def item(self) -> Item:
        """Return the valid row as the service takes it."""
        values = self.cleaned_data
        return Item(
            description=values["description"],
            quantity=values["quantity"],
            unit_amount=values["unit_amount"],
            unit=values["unit"],
            tax_class=values["tax_class"] or "standard",
            tax_rate=values["tax_rate"],
            first_day=self.initial.get("first_day"),
            last_day=self.initial.get("last_day"),
        )


def items_page(model_admin: Any, request: HttpRequest, invoice: Invoice | None) -> HttpResponse:
    """
    Show the form of a new one-off invoice, or of a draft of one; save it by its service and go to its page.

    :raises PermissionDenied: if the invoice is not a draft of items
    """
    if invoice is not None and (invoice.kind != Invoice.Kind.ONE_OFF or invoice.status != Invoice.Status.DRAFT):
        raise PermissionDenied
    kept = None if invoice is None else kept_items(invoice)
    initial = {} if kept is None else {"payment_terms_days": kept.payment_terms_days, "note": kept.note}
    form = OneOffForm(posted(request), initial=initial, site=model_admin.admin_site, is_known=invoice is not None)
    rows = _formset(request, () if kept is None else kept.items)
    if request.method == "POST" and form.is_valid() and rows.is_valid():
        try:
            return redirect("admin:billing_invoice_change", _save(request, form, rows, invoice).pk)
        except (ItemsRefused, UnableToEdit) as refused:
            form.add_error(None, str(refused))
    opts = model_admin.opts
    back = (
        reverse("admin:billing_invoice_changelist")
        if invoice is None
        else reverse("admin:billing_invoice_change", args=[invoice.pk])
    )
    title = _("New one-off invoice") if invoice is None else _("Edit items")
    context = model_admin.admin_site.each_context(request) | {
        "title": title,
        "form": form,
        "rows": rows,
        "opts": opts,
        "original": invoice,
        "back": back,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/billing/one_off.html", context)


def _formset(request: HttpRequest, items: tuple[Item, ...]) -> _Rows:
    kind = forms.formset_factory(ItemForm, extra=_EMPTY_ROWS, can_delete=True, max_num=200, validate_max=True)
    initial = [
        {
            "description": item.description,
            "quantity": plain(item.quantity),
            "unit": item.unit,
            "unit_amount": plain(item.unit_amount),
            "tax_class": "" if item.tax_class == "standard" else item.tax_class,
            "tax_rate": "" if item.tax_rate is None else plain(Decimal(item.tax_rate)),
            "first_day": item.first_day,
            "last_day": item.last_day,
        }
        for item in items
    ]
    return kind(posted(request), initial=initial, prefix="items")


def _save(request: HttpRequest, form: OneOffForm, rows: _Rows, invoice: Invoice | None) -> Invoice:
    deleted = set(rows.deleted_forms)
    asked = {
        "items": [row.item() for row in rows if row not in deleted and row.cleaned_data.get("description")],
        "payment_terms_days": form.cleaned_data["payment_terms_days"],
        "note": form.cleaned_data["note"],
        "now": clock.now(),
        "actor": actor_of(request),
    }
    if invoice is not None:
        return change_items(invoice_id=invoice.pk, **asked)
    customer = form.cleaned_data["customer"]
    return draft_one_off(customer_id=customer.pk, currency=customer.currency, **asked)
