"""What can be done with an invoice: each is one service call with the actor, after a page that says what will happen."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from billing.admin.asking import NothingToAsk, asked, asked_where_to, posted
from billing.admin.credit_note_actions import InvoiceCrediting, may_be_credited
from billing.admin.one_off import items_page
from billing.admin.shown import day, money
from billing.delivery.previewing import UnableToPreview, preview_pdf
from billing.delivery.resending import resend_invoice
from billing.invoicing.finalizing import UnableToFinalize, finalize_invoice
from billing.invoicing.giving_up import UnableToGiveUp, give_up_invoice, take_up_invoice
from billing.invoicing.one_off import UnableToEdit, discard_one_off
from billing.invoicing.paying.balances import unallocated
from billing.invoicing.paying.payments import PaymentError, record_payment
from billing.invoicing.voiding import UnableToVoid, replacement_of, void_invoice
from billing.models import Invoice
from squill.lib import clock
from squill.lib.currency import exponent
from squill.lib.refusal import Refused
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
    """Why an invoice is voided, and whether it is billed anew at once."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept with the invoice, and shown to the customer."),
    )
    reissue = forms.BooleanField(
        label=gettext_lazy("Draft the corrected invoice at once"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=gettext_lazy("Of the same periods or items. It says which invoice it replaces."),
    )


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept on the trail; the customer does not see it."),
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
        self.decimals = decimals
        self.fields["amount"] = forms.DecimalField(
            label=gettext_lazy("Amount"), max_digits=18, decimal_places=decimals, widget=UnfoldAdminDecimalFieldWidget
        )


def possible_actions(invoice: Invoice) -> set[str]:
    """Return the names of the actions that the services would take for the invoice as it is."""
    is_voidable = not invoice.paid_minor and not invoice.credit_notes.exists()
    void = {"void"} if is_voidable else set()
    credit = {"credit"} if may_be_credited(invoice) else set()
    match invoice.status:
        case Invoice.Status.DRAFT:
            own = {"edit_items", "discard"} if invoice.kind == Invoice.Kind.ONE_OFF else set()
            return {"finalize", "preview", *own}
        case Invoice.Status.FINALIZED:
            has_balance = invoice.currency in unallocated(customer_id=invoice.customer_id)
            balance = {"apply_balance"} if has_balance else set()
            return {"record_payment", "resend", "give_up", *balance, *credit, *void}
        case Invoice.Status.UNCOLLECTIBLE:
            return {"record_payment", "resend", "take_up", *credit, *void}
        case Invoice.Status.PAID:
            return {"resend", *credit, *void}
    return set()


class InvoiceActions(InvoiceCrediting, _Admin):
    """The buttons of an invoice's page."""

    actions_detail: tuple[str, ...] = (
        "finalize",
        "preview",
        "edit_items",
        "discard",
        "record_payment",
        "apply_balance",
        "credit",
        "resend",
        "give_up",
        "take_up",
        "void",
    )

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
            void_invoice(invoice_id=invoice.pk, **values, actor=actor_of(request), now=clock.now())
            if values["reissue"] and replacement_of(invoice) is not None:
                return _("%(number)s is void, and its corrected draft is there.") % {"number": invoice.number}
            return _("%(number)s is void.") % {"number": invoice.number}

        return asked(
            self,
            request,
            invoice,
            title=_("Void"),
            question=_("Void %(number)s of %(customer)s? It keeps its number and cannot be brought back. %(then)s")
            % {"number": invoice, "customer": invoice.customer, "then": _after_voiding(invoice)},
            form=VoidForm(posted(request)),
            run=run,
            refusals=(UnableToVoid,),
            is_final=True,
        )

    @detail_action(title=gettext_lazy("Preview PDF"), path="preview", icon="picture_as_pdf", permission="view")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the draft as it would be printed now."""
        invoice = _invoice(object_id)
        try:
            content = preview_pdf(invoice_id=invoice.pk, as_of=clock.now())
        except (UnableToPreview, Refused) as refused:
            messages.error(request, str(refused))
            return redirect("admin:billing_invoice_change", invoice.pk)
        headers = {"Content-Disposition": f'inline; filename="{invoice.public_id}.pdf"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse(content, content_type="application/pdf", headers=headers)

    @detail_action(title=gettext_lazy("Mark uncollectible"), path="give-up", icon="money_off", permission="act")
    def give_up(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then stop claiming it."""
        invoice = _invoice(object_id)

        def run(values: Mapping[str, Any]) -> str:
            give_up_invoice(invoice_id=invoice.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
            return _("%(number)s is uncollectible.") % {"number": invoice.number}

        return asked(
            self,
            request,
            invoice,
            title=_("Mark uncollectible"),
            question=_(
                "Give up %(left)s of %(number)s, owed by %(customer)s? It is no longer open, and nobody is reminded of it. "
                "It can be paid all the same, and be taken up again."
            )
            % {"left": money(invoice.left_minor, invoice.currency), "number": invoice, "customer": invoice.customer},
            form=ReasonForm(posted(request)),
            run=run,
            refusals=(UnableToGiveUp,),
        )

    @detail_action(title=gettext_lazy("Take up again"), path="take-up", icon="undo", permission="act")
    def take_up(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then claim it again."""
        invoice = _invoice(object_id)

        def run(_values: Mapping[str, Any]) -> str:
            take_up_invoice(invoice_id=invoice.pk, actor=actor_of(request), now=clock.now())
            return _("%(number)s is open again.") % {"number": invoice.number}

        return asked(
            self,
            request,
            invoice,
            title=_("Take up again"),
            question=_("Claim %(left)s of %(number)s again? It is open as before, due on %(day)s.")
            % {"left": money(invoice.left_minor, invoice.currency), "number": invoice, "day": day(invoice.due_on)},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(UnableToGiveUp,),
        )

    @detail_action(title=gettext_lazy("Discard"), path="discard", icon="delete", permission="act")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then delete the draft of a one-off invoice."""
        invoice = _invoice(object_id)

        def run(_values: Mapping[str, Any]) -> str:
            discard_one_off(invoice_id=invoice.pk, actor=actor_of(request), now=clock.now())
            return _("The draft is discarded.")

        return asked(
            self,
            request,
            invoice,
            title=_("Discard"),
            question=_("Discard the draft of %(amount)s for %(customer)s? It has no number yet, so none is missing.")
            % {"amount": money(invoice.due_minor, invoice.currency), "customer": invoice.customer},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(UnableToEdit,),
            is_final=True,
        )

    @detail_action(title=gettext_lazy("Edit items"), path="items", icon="edit", permission="act")
    def edit_items(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the items in a form, and write the draft anew."""
        return items_page(self, request, _invoice(object_id))

    @detail_action(title=gettext_lazy("Record payment"), path="record-payment", icon="payments", permission="act")
    def record_payment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for what the bank says, then record it."""
        invoice = _invoice(object_id)
        decimals = exponent(invoice.currency)
        left = invoice.left_minor
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
            question=_(
                "What has come in for %(number)s of %(customer)s? %(left)s are left to pay. What is too much stays with the "
                "customer and pays the next invoices."
            )
            % {"number": invoice, "customer": invoice.customer, "left": money(left, invoice.currency)},
            form=PaymentForm(posted(request), initial=initial, decimals=decimals),
            run=run,
            refusals=(PaymentError,),
        )

    @detail_action(title=gettext_lazy("Resend"), path="resend", icon="forward_to_inbox", permission="act")
    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask where to, then send it again."""
        invoice = _invoice(object_id)

        def send(address: str) -> str:
            resend_invoice(invoice_id=invoice.pk, recipient=address, actor=actor_of(request), now=clock.now())
            return _("%(number)s is on its way to %(address)s.") % {"number": invoice.number, "address": address}

        return asked_where_to(
            self,
            request,
            invoice,
            title=_("Resend"),
            question=_("Send %(number)s with its PDF once more?") % {"number": invoice},
            send=send,
        )


def _invoice(object_id: str) -> Invoice:
    return get_object_or_404(Invoice.objects.select_related("customer"), pk=object_id)


def _after_voiding(invoice: Invoice) -> str:
    """Say what becomes of what a void invoice billed."""
    if invoice.kind == Invoice.Kind.ONE_OFF:
        return _("Its items are billed again only where the corrected invoice is drafted, which you can have below.")
    return _("The next run bills its periods again, on a new invoice that names this one.")
