"""What is done with money in the finance desk: each is one service call, after a page that says what will happen."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from billing.admin.asking import NothingToAsk, asked, posted
from billing.admin.invoice_actions import PaymentForm, VoidForm
from billing.admin.shown import money
from billing.invoicing.paying.allocating import share_out
from billing.invoicing.paying.balances import UnableToApply, allocate_balance, unallocated
from billing.invoicing.paying.matching import MAX_TEXT, invoices_named_in
from billing.invoicing.paying.payments import PAYABLE, PaymentError, open_invoices, record_customer_payment
from billing.invoicing.paying.reversing import UnableToReverse, paid_by, reverse_payment
from billing.models import Invoice, Payment
from customers.models import Customer
from squill.lib import clock
from squill.lib.currency import exponent
from squill.web.admin_pages import actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import ReadOnlyAdmin as _Admin
else:
    _Admin = object


class CustomerPaymentForm(PaymentForm):
    """Money of a customer, and what its transfer says."""

    remittance = forms.CharField(
        label=gettext_lazy("Text of the transfer"),
        max_length=MAX_TEXT,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=gettext_lazy("Numbers of invoices in it are paid first. Not kept."),
    )
    field_order = ("amount", "received_on", "method", "reference", "remittance")


class ReversalForm(VoidForm):
    """Why a payment is taken back."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Kept with the payment, such as what the bank says."),
    )


class PaymentActions(_Admin):
    """The buttons of a payment's page."""

    actions_detail: tuple[str, ...] = ("reverse",)

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change invoices."""
        return bool(request.user.has_perm("billing.change_invoice"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the reversal of what is not reversed."""
        is_there = Payment.objects.filter(pk=object_id, reversed_at=None).exists()
        return super().get_actions_detail(request, object_id) if is_there else []  # type: ignore[misc] # Unfold's

    @detail_action(title=gettext_lazy("Reverse"), path="reverse", icon="undo", permission="act")
    def reverse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, saying which invoices open again, then reverse it."""
        payment = get_object_or_404(Payment.objects.select_related("customer"), pk=object_id)

        def run(values: Mapping[str, Any]) -> str:
            reverse_payment(payment_id=payment.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
            return _("%(reference)s is reversed.") % {"reference": payment.reference}

        words = {
            "amount": money(payment.amount_minor, payment.currency),
            "customer": payment.customer,
            "invoices": _opened(payment),
        }
        return asked(
            self,
            request,
            payment,
            title=_("Reverse"),
            question=_("Take back all %(amount)s of %(customer)s, for good? %(invoices)s") % words,
            form=ReversalForm(posted(request)),
            run=run,
            refusals=(UnableToReverse,),
            is_final=True,
        )


class InvoiceMoneyActions(_Admin):
    """The button of an invoice's page that pays it from the balance."""

    @detail_action(title=gettext_lazy("Apply balance"), path="apply-balance", icon="wallet", permission="act")
    def apply_balance(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then pay the invoice from what payments left over."""
        invoice = get_object_or_404(Invoice.objects.select_related("customer"), pk=object_id)
        balance = unallocated(customer_id=invoice.customer_id).get(invoice.currency, 0)
        applied = min(balance, invoice.left_minor) if invoice.status in PAYABLE else 0

        def run(_values: Mapping[str, Any]) -> str:
            allocate_balance(invoice_id=invoice.pk, actor=actor_of(request), now=clock.now())
            return _("%(number)s was paid from the balance.") % {"number": invoice.number}

        words = {
            "balance": money(balance, invoice.currency),
            "customer": invoice.customer,
            "applied": money(applied, invoice.currency),
            "number": invoice,
            "left": money(invoice.left_minor - applied, invoice.currency),
        }
        return asked(
            self,
            request,
            invoice,
            title=_("Apply balance"),
            question=_(
                "Earlier payments of %(customer)s left %(balance)s over. Pay %(applied)s of %(number)s with it? Then %(left)s "
                "are left to pay."
            )
            % words,
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(UnableToApply,),
        )


class CustomerMoneyActions(_Admin):
    """The button of a customer's page that records money."""

    def has_pay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those record money who may change invoices."""
        return bool(request.user.has_perm("billing.change_invoice"))

    @detail_action(title=gettext_lazy("Record payment"), path="record-payment", icon="payments", permission="pay")
    def record_payment(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for what the bank says, show what it will pay, then record it."""
        customer = get_object_or_404(Customer, pk=object_id)
        currency, now = customer.currency, clock.now()
        decimals = exponent(currency)
        initial = {"received_on": now.astimezone(ZoneInfo(customer.timezone)).date()}
        form = CustomerPaymentForm(posted(request), initial=initial, decimals=decimals)
        question = _("What has come in of %(customer)s? The next page says which invoices it pays.") % {"customer": customer}
        if request.method == "POST" and form.is_valid():
            minor = int(form.cleaned_data["amount"].scaleb(decimals))
            question = _what_it_pays(customer, minor, _named(customer, form.cleaned_data))
            # The money does what the person was shown, or is shown again.
            if request.POST.get("seen") != question:
                form.add_error(None, _("Nothing is recorded yet. Look at what it pays, and press the button again."))

        def run(values: Mapping[str, Any]) -> str:
            minor = int(Decimal(values["amount"]).scaleb(decimals))
            record_customer_payment(
                customer_id=customer.pk,
                currency=currency,
                amount_minor=minor,
                received_on=values["received_on"],
                method=values["method"],
                reference=values["reference"],
                invoices=_named(customer, values),
                actor=actor_of(request),
                now=now,
            )
            return _("%(amount)s of %(customer)s are recorded.") % {"amount": money(minor, currency), "customer": customer}

        return asked(
            self,
            request,
            customer,
            title=_("Record payment"),
            question=question,
            form=form,
            run=run,
            refusals=(PaymentError,),
            shown={"hidden": [("seen", question)]},
        )


def _named(customer: Customer, values: Mapping[str, Any]) -> Sequence[str] | None:
    """Return the invoices that the reference or the text names; None where they name none, for the open ones."""
    return invoices_named_in(f"{values['reference']}\n{values['remittance']}", customer) or None


def _what_it_pays(customer: Customer, amount_minor: int, named: Sequence[str] | None) -> str:
    """Say what a payment of the customer would pay, by the function that will pay it. Nothing is written."""
    currency = customer.currency
    if named is None:
        payable = open_invoices(customer.pk, currency)
    else:
        found = {invoice.number: invoice for invoice in Invoice.objects.filter(customer=customer, number__in=named)}
        payable = [found[number] for number in named]
    payment = Payment(customer=customer, currency=currency, amount_minor=amount_minor)
    parts = []
    for invoice in payable:
        for taken in share_out([payment], invoice.left_minor):
            payment.allocated_minor += taken.amount_minor
            parts.append(f"{invoice.number}: {money(taken.amount_minor, currency)}")
    words = {"paid": ", ".join(parts) or _("no invoice"), "left": money(payment.left_minor, currency)}
    if payment.left_minor:
        return _("It pays %(paid)s. %(left)s stay with the customer and pay the next invoices.") % words
    return _("It pays %(paid)s.") % words


def _opened(payment: Payment) -> str:
    paid = paid_by(payment)
    invoices = Invoice.objects.filter(pk__in=paid).order_by("number")
    parts = [f"{invoice.number} ({money(paid[invoice.pk], payment.currency)})" for invoice in invoices]
    if not parts:
        return _("It pays no invoice.")
    return _("It is taken back from %(invoices)s; what it had paid is to pay again.") % {"invoices": ", ".join(parts)}
