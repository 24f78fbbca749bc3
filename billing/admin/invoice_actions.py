"""What can be done with an invoice: each is one service call with the actor, after a page that says what will happen."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from billing.admin.asking import NothingToAsk, asked, posted
from billing.admin.shown import money
from billing.delivery.resending import UnableToResend, resend_invoice
from billing.invoicing.finalizing import UnableToFinalize, finalize_invoice
from billing.invoicing.payments import PaymentError, record_payment
from billing.invoicing.voiding import UnableToVoid, void_invoice
from billing.models import Invoice
from squill.lib import clock
from squill.lib.currency import exponent
from squill.web.admin_pages import actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import ReadOnlyAdmin as _Admin
else:
    _Admin = object

_METHODS = [
    ("bank_transfer", gettext_lazy("bank transfer")),
    ("direct_debit", gettext_lazy("direct debit")),
    ("card", gettext_lazy("card")),
    ("other", gettext_lazy("other")),
]


class VoidForm(forms.Form):
    """Why an invoice is voided."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept with the invoice, and shown to the customer."),
    )


class PaymentForm(forms.Form):
    """Money that has come in, in major units of the invoice's currency."""

    amount = forms.DecimalField()  # made in __init__, by the currency's decimals
    received_on = forms.DateField(label=gettext_lazy("Received on"), widget=UnfoldAdminSingleDateWidget)
    method = forms.ChoiceField(label=gettext_lazy("Method"), choices=_METHODS, widget=UnfoldAdminSelectWidget)
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=140,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("What the bank calls it. The same reference again records nothing twice."),
    )

    def __init__(self, *args: Any, decimals: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = forms.DecimalField(
            label=gettext_lazy("Amount"), max_digits=18, decimal_places=decimals, widget=UnfoldAdminDecimalFieldWidget
        )


class ResendForm(forms.Form):
    """Where an invoice is sent again."""

    recipient = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254, widget=UnfoldAdminEmailInputWidget)


def possible_actions(invoice: Invoice) -> set[str]:
    """Return the names of the actions that the services would take for the invoice as it is."""
    if invoice.status == Invoice.Status.DRAFT:
        return {"finalize"}
    if invoice.status == Invoice.Status.FINALIZED:
        return {"record_payment", "resend"} | (set() if invoice.paid_minor else {"void"})
    return {"resend"} if invoice.status == Invoice.Status.PAID else set()


class InvoiceActions(_Admin):
    """The buttons of an invoice's page."""

    actions_detail = ("finalize", "record_payment", "resend", "void")

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change invoices."""
        return bool(request.user.has_perm("billing.change_invoice"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        invoice = Invoice.objects.filter(pk=object_id).first()
        allowed = {f"billing_invoice_{name}" for name in possible_actions(invoice)} if invoice else set()
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if one.action_name in allowed]

    @detail_action(title=gettext_lazy("Finalise"), path="finalize", icon="verified", permission="act")
    def finalize(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then give the draft its number and send it."""
        invoice = _invoice(object_id)

        def run(_values: Mapping[str, Any]) -> str:
            now = clock.now()
            final = finalize_invoice(invoice_id=invoice.pk, as_of=now, actor=actor_of(request), now=now)
            return _("%(number)s is final.") % {"number": final.number}

        return asked(
            self,
            request,
            invoice,
            title=_("Finalise"),
            question=_(
                "Finalise the draft of %(customer)s? It is worked out once more by the usage known now, gets the next number, "
                "never changes again, and is mailed to %(email)s."
            )
            % {"customer": invoice.customer, "email": invoice.customer.email or _("nobody, since the customer has no address")},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(UnableToFinalize,),
        )

    @detail_action(title=gettext_lazy("Void"), path="void", icon="block", permission="act")
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then void it."""
        invoice = _invoice(object_id)

        def run(values: Mapping[str, Any]) -> str:
            void_invoice(invoice_id=invoice.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
            return _("%(number)s is void.") % {"number": invoice.number}

        return asked(
            self,
            request,
            invoice,
            title=_("Void"),
            question=_(
                "Void %(number)s of %(customer)s? It keeps its number and cannot be brought back. The next run bills its periods "
                "again, on a new invoice."
            )
            % {"number": invoice, "customer": invoice.customer},
            form=VoidForm(posted(request)),
            run=run,
            refusals=(UnableToVoid,),
            is_final=True,
        )

    @detail_action(title=gettext_lazy("Record payment"), path="record-payment", icon="payments", permission="act")
    def record_payment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for what the bank says, then record it."""
        invoice = _invoice(object_id)
        decimals = exponent(invoice.currency)
        left = invoice.due_minor - invoice.paid_minor
        now = clock.now()
        today = now.astimezone(ZoneInfo(invoice.customer.timezone)).date()

        def run(values: Mapping[str, Any]) -> str:
            minor = int(values["amount"].scaleb(decimals))
            record_payment(
                invoice_id=invoice.pk,
                amount_minor=minor,
                received_on=values["received_on"],
                method=values["method"],
                reference=values["reference"],
                actor=actor_of(request),
                now=now,
            )
            return _("%(amount)s are recorded for %(number)s.") % {
                "amount": money(minor, invoice.currency),
                "number": invoice.number,
            }

        initial = {"amount": Decimal(left).scaleb(-decimals), "received_on": today}
        return asked(
            self,
            request,
            invoice,
            title=_("Record payment"),
            question=_("What has come in for %(number)s of %(customer)s? %(left)s are left to pay.")
            % {"number": invoice, "customer": invoice.customer, "left": money(left, invoice.currency)},
            form=PaymentForm(posted(request), initial=initial, decimals=decimals),
            run=run,
            refusals=(PaymentError,),
        )

    @detail_action(title=gettext_lazy("Resend"), path="resend", icon="forward_to_inbox", permission="act")
    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask where to, then send it again."""
        invoice = _invoice(object_id)

        def run(values: Mapping[str, Any]) -> str:
            address = values["recipient"]
            resend_invoice(invoice_id=invoice.pk, recipient=address, actor=actor_of(request), now=clock.now())
            return _("%(number)s is on its way to %(address)s.") % {"number": invoice.number, "address": address}

        return asked(
            self,
            request,
            invoice,
            title=_("Resend"),
            question=_("Send %(number)s with its PDF once more?") % {"number": invoice},
            form=ResendForm(posted(request), initial={"recipient": invoice.customer.email}),
            run=run,
            refusals=(UnableToResend,),
        )


def _invoice(object_id: str) -> Invoice:
    return get_object_or_404(Invoice.objects.select_related("customer"), pk=object_id)
