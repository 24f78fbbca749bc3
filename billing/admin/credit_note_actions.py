"""Credit an invoice in two steps: the first asks what and shows what will happen, the second does it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from billing.admin.crediting import planned_page
from billing.admin.shown import money
from billing.invoicing.crediting.issuing import issue_credit_note, preview_credit_note
from billing.invoicing.crediting.planning import Creditable, LineAsked, creditable
from billing.invoicing.crediting.settling import Rest, UnableToCredit
from billing.models import CreditNote, Invoice
from squill.lib import clock
from squill.lib.currency import exponent
from squill.web.admin_pages import actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import ReadOnlyAdmin as _Admin
else:
    _Admin = object

RESTS = [
    ("balance", gettext_lazy("keep it for the next invoices")),
    ("refund", gettext_lazy("pay it back")),
]
_NOT_KEPT = frozenset({"csrfmiddlewaretoken", "step"})


class CreditForm(forms.Form):
    """What is credited of an invoice: an amount for each line, or all; why; and what becomes of it."""

    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=CreditNote.Reason.choices, widget=UnfoldAdminSelectWidget)
    explanation = forms.CharField(
        label=gettext_lazy("Explanation"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Printed on the credit note."),
    )
    rest = forms.ChoiceField(
        label=gettext_lazy("What is paid already"),
        choices=RESTS,
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("What is left to pay of the invoice is lowered first."),
    )
    # Made when the form is opened, so that a second click is the same credit note.
    reference = forms.CharField(max_length=140, widget=forms.HiddenInput)

    def __init__(self, *args: Any, of: Creditable, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.of = of
        for line in of.lines:
            if line.left.net_minor:
                self.fields[f"line-{line.row.position}"] = forms.DecimalField(
                    label=line.row.description,
                    required=False,
                    min_value=Decimal(0),
                    max_digits=18,
                    decimal_places=exponent(of.invoice.currency),
                    widget=forms.TextInput(attrs={"class": "desk-input", "inputmode": "decimal"}),
                )

    def asked(self, *, everything: bool) -> Sequence[LineAsked] | None:
        """Return the lines with an amount, None for all that is left."""
        if everything:
            return None
        places = exponent(self.of.invoice.currency)
        amounts = {name: value for name, value in self.cleaned_data.items() if name.startswith("line-") and value}
        return [LineAsked(int(name.removeprefix("line-")), int(value.scaleb(places))) for name, value in amounts.items()]

    def rows(self) -> list[dict[str, Any]]:
        """Return the lines of the invoice with their fields, for the table."""
        currency = self.of.invoice.currency
        return [
            {
                "position": line.row.position,
                "name": line.row.description,
                "detail": line.row.detail,
                "billed": money(line.row.net_minor, currency),
                "left": money(line.left.net_minor, currency),
                "field": self[name] if (name := f"line-{line.row.position}") in self.fields else None,
            }
            for line in self.of.lines
        ]

    def others(self) -> list[Any]:
        """Return the fields that are not in the table."""
        return [field for field in self if not field.name.startswith("line-") and not field.is_hidden]


def may_be_credited(invoice: Invoice) -> bool:
    """Say whether the service would look at the invoice at all; how much of its lines is left it says itself. No query."""
    return invoice.status not in (Invoice.Status.DRAFT, Invoice.Status.VOID) and invoice.total_minor > 0


class InvoiceCrediting(_Admin):
    """The button of an invoice's page that credits it."""

    @detail_action(title=gettext_lazy("Credit"), path="credit", icon="assignment_return", permission="act")
    def credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what is credited, show what will happen, then do it."""
        related = Invoice.objects.select_related("customer", "billing_entity")
        invoice = get_object_or_404(related, pk=object_id)
        page = reverse("admin:billing_invoice_change", args=[invoice.pk])
        try:
            of = creditable(invoice)
        except UnableToCredit as refusal:
            messages.error(request, str(refusal))
            return redirect(page)
        step = request.POST.get("step", "")
        initial = {"reason": CreditNote.Reason.GOODWILL, "rest": "balance", "reference": f"desk-{uuid4()}"}
        form = CreditForm(request.POST if request.method == "POST" else None, of=of, initial=initial)
        everything = step == "all" or (request.POST.get("everything") == "yes" and step != "look")
        shown: dict[str, Any] = {}
        if step in ("look", "all", "do") and form.is_valid():
            try:
                if step == "do":
                    return self._credited(request, invoice, form, everything=everything)
                planned = preview_credit_note(invoice=invoice, **_wanted(form, everything=everything))
                shown = {"planned": planned_page(planned, now=clock.now()), "kept": _kept(request, everything=everything)}
                shown |= {"reason": planned.reason.label, "explanation": form.cleaned_data["explanation"]}
                shown["is_correction"] = planned.reason == CreditNote.Reason.CORRECTION
            except UnableToCredit as refusal:
                field = f"line-{refusal.position}"
                form.add_error(field if field in form.fields else None, str(refusal))
        context = self.admin_site.each_context(request) | {
            **shown,
            "is_preview": bool(shown),
            "title": _("Credit"),
            "question": ""
            if shown
            else _("What is credited of %(number)s of %(customer)s? Amounts are after discounts and before tax.")
            % {"number": invoice, "customer": invoice.customer},
            "form": form,
            "opts": invoice._meta,
            "original": invoice,
            "back": page,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/billing/credit.html", context)

    def _credited(self, request: HttpRequest, invoice: Invoice, form: CreditForm, *, everything: bool) -> HttpResponse:
        values = form.cleaned_data
        note = issue_credit_note(
            invoice_id=invoice.pk,
            explanation=values["explanation"],
            reference=values["reference"],
            actor=actor_of(request),
            now=clock.now(),
            **_wanted(form, everything=everything),
        )
        amount = money(note.total_minor, note.currency)
        messages.success(request, _("%(number)s credits %(amount)s.") % {"number": note.number, "amount": amount})
        return redirect("admin:billing_creditnote_change", note.pk)


def _wanted(form: CreditForm, *, everything: bool) -> Mapping[str, Any]:
    return {
        "reason": CreditNote.Reason(form.cleaned_data["reason"]),
        "lines": form.asked(everything=everything),
        "settlement": cast("Rest", form.cleaned_data["rest"]),
    }


def _kept(request: HttpRequest, *, everything: bool) -> list[tuple[str, str]]:
    """Return what was typed, for the second step."""
    kept = [(name, str(value)) for name, value in request.POST.items() if name not in _NOT_KEPT and name != "everything"]
    return [*kept, ("everything", "yes" if everything else "no")]
