"""Credits in the finance desk: what each has left, its movements, and the ledger of all; given on the customer's page."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.admin.asking import asked, posted
from billing.admin.shown import badge, label_column, link, moment, money
from billing.models import Credit, CreditEntry
from billing.reductions.granting import refund_credit, void_credit
from billing.reductions.ledger import CreditState, state_of, with_balance, with_left
from billing.reductions.refusals import ReductionError
from squill.lib import clock
from squill.web.admin_pages import ReadOnlyAdmin, ReadOnlyInline, actor_of, detail_action

CREDIT_COLORS = {
    CreditState.USABLE.value: "success",
    CreditState.USED_UP.value: "info",
    CreditState.EXPIRED.value: "warning",
    CreditState.VOIDED.value: "",
}
ENTRY_COLORS = {
    "granted": "success",
    "used": "info",
    "returned": "warning",
    "expired": "",
    "voided": "",
    "refunded": "",
}


class ReasonForm(forms.Form):
    """Why a credit is taken back or paid out."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Kept on the audit trail."),
    )


class EntryInline(ReadOnlyInline):
    """What came in and went out of one credit, newest first."""

    model = CreditEntry
    verbose_name_plural = gettext_lazy("movements")
    fields = ("kind", "amount", "invoice_link", "recorded_at", "recorded_by")
    readonly_fields = fields
    ordering = ("-pk",)
    show_title = False
    show_change_link = False
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the entries with their invoices, in one query."""
        return super().get_queryset(request).select_related("credit", "invoice")

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, entry: CreditEntry) -> str:
        """Return what came in, or went out."""
        return money(entry.amount_minor, entry.credit.currency)

    @admin.display(description=gettext_lazy("invoice"))
    def invoice_link(self, entry: CreditEntry) -> SafeString:
        """Return the way to the invoice that used it, or gave it back."""
        return link("billing_invoice", entry.invoice_id, entry.invoice) if entry.invoice_id else SafeString("–")


class CreditStateFilter(admin.SimpleListFilter):
    """Credits by whether anything is left of them."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("left", gettext_lazy("With something left")), ("empty", gettext_lazy("With nothing left"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        chosen = {"left": queryset.filter(left_minor__gt=0), "empty": queryset.filter(left_minor=0)}
        return chosen.get(str(self.value()), queryset)


@admin.register(Credit)
class CreditAdmin(ReadOnlyAdmin):
    """Find credits, see what is left of them, and take that back or pay it out."""

    list_display = ("name", "customer_link", "kind", "amount", "left", "expires", "state")
    list_select_related = ("customer",)
    list_filter = (CreditStateFilter, "kind", "currency")
    search_fields = ("name", "reference", "customer__name", "customer__external_id")
    ordering = ("-granted_at", "-pk")
    fields = (
        ("name", "customer_link"),
        ("kind", "reference"),
        ("amount", "left", "paid_for_it"),
        ("priority", "expires_at"),
        ("granted_at", "voided_at"),
    )
    readonly_fields = ("customer_link", "amount", "left", "paid_for_it")
    inlines = (EntryInline,)
    actions_detail = ("take_back", "pay_out")

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the credits with what is left of them, in one query."""
        return with_left(super().get_queryset(request))

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change credits."""
        return bool(request.user.has_perm("billing.change_credit"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        credit = with_left(Credit.objects.filter(pk=object_id)).first()
        allowed = {f"billing_credit_{name}" for name in possible_actions(credit)} if credit else set()
        return [one for one in offered if one.action_name in allowed]

    @detail_action(title=gettext_lazy("Take back"), path="take-back", icon="undo", permission="act")
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take back what is left."""
        credit = _credit(object_id)

        def run(values: Mapping[str, Any]) -> str:
            void_credit(credit_id=credit.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
            return _("%(credit)s is taken back.") % {"credit": credit}

        question = _(
            "Take back the %(left)s that are left of “%(credit)s” of %(customer)s? It pays no invoice any more, and cannot be "
            "given again. What it has paid stays paid; what a void invoice gives back to it is taken back too."
        )
        return self._ask(request, credit, title=_("Take back"), question=question, run=run)

    @detail_action(title=gettext_lazy("Pay out"), path="pay-out", icon="payments", permission="act")
    def pay_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then record that what is left was paid out."""
        credit = _credit(object_id)

        def run(values: Mapping[str, Any]) -> str:
            paid = refund_credit(credit_id=credit.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
            return _("%(amount)s are recorded as paid out.") % {"amount": money(paid, credit.currency)}

        question = _(
            "Record that the %(left)s that are left of “%(credit)s” were paid out to %(customer)s? Squill moves no money: pay it "
            "out at your bank."
        )
        return self._ask(request, credit, title=_("Pay out"), question=question, run=run)

    def _ask(self, request: HttpRequest, credit: Any, *, title: str, question: str, run: Any) -> HttpResponse:
        words = {"left": money(credit.left_minor, credit.currency), "credit": credit, "customer": credit.customer}
        return asked(
            self,
            request,
            credit,
            title=title,
            question=question % words,
            form=ReasonForm(posted(request)),
            run=run,
            refusals=(ReductionError,),
            is_final=True,
        )

    @admin.display(description=gettext_lazy("customer"), ordering="customer__name")
    def customer_link(self, credit: Credit) -> SafeString:
        """Return the way to the customer."""
        return link("customers_customer", credit.customer_id, credit.customer)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, credit: Credit) -> str:
        """Return what was granted."""
        return money(credit.amount_minor, credit.currency)

    @admin.display(description=gettext_lazy("left"))
    def left(self, credit: Any) -> str:
        """Return the sum of its entries."""
        return money(credit.left_minor, credit.currency)

    @admin.display(description=gettext_lazy("paid for it"))
    def paid_for_it(self, credit: Credit) -> str:
        """Return what the customer paid for it."""
        return money(credit.cost_basis_minor, credit.currency)

    @admin.display(description=gettext_lazy("expires"), ordering="expires_at")
    def expires(self, credit: Credit) -> str:
        """Return from when on it pays nothing."""
        return expiry(credit)

    @label_column(description=gettext_lazy("state"), colors=CREDIT_COLORS)
    def state(self, credit: Any) -> tuple[str, Any]:
        """Return what it is good for as a coloured label."""
        state = state_of(credit, now=clock.now())
        return state.value, state.label


@admin.register(CreditEntry)
class CreditEntryAdmin(ReadOnlyAdmin):
    """The ledger: every movement with the customer's balance after it, newest first."""

    list_display = ("recorded_at", "customer", "credit_link", "state", "amount", "balance", "invoice_link", "recorded_by")
    list_select_related = ("credit__customer", "invoice")
    list_filter = ("kind", "credit__currency", "credit__kind")
    search_fields = ("credit__customer__name", "credit__customer__external_id", "credit__reference", "invoice__number")
    date_hierarchy = "recorded_at"
    ordering = ("-pk",)
    fields = (("recorded_at", "recorded_by"), ("customer", "credit_link"), ("kind", "amount", "balance"), "invoice_link")
    readonly_fields = ("customer", "credit_link", "amount", "balance", "invoice_link")

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the entries with the balances after them, in one query."""
        return with_balance(super().get_queryset(request))

    @admin.display(description=gettext_lazy("customer"), ordering="credit__customer__name")
    def customer(self, entry: CreditEntry) -> SafeString:
        """Return the way to the customer."""
        return link("customers_customer", entry.credit.customer_id, entry.credit.customer)

    @admin.display(description=gettext_lazy("credit"))
    def credit_link(self, entry: CreditEntry) -> SafeString:
        """Return the way to the credit."""
        return link("billing_credit", entry.credit_id, entry.credit)

    @label_column(description=gettext_lazy("movement"), colors=ENTRY_COLORS, ordering="kind")
    def state(self, entry: CreditEntry) -> tuple[str, Any]:
        """Return what happened as a coloured label."""
        return entry.kind, entry.get_kind_display()

    @admin.display(description=gettext_lazy("amount"), ordering="amount_minor")
    def amount(self, entry: CreditEntry) -> str:
        """Return what came in, or went out."""
        return money(entry.amount_minor, entry.credit.currency)

    @admin.display(description=gettext_lazy("balance"))
    def balance(self, entry: Any) -> str:
        """Return what the customer had in the currency after it."""
        return money(int(entry.balance_minor), entry.credit.currency)

    @admin.display(description=gettext_lazy("invoice"))
    def invoice_link(self, entry: CreditEntry) -> SafeString:
        """Return the way to the invoice that used it, or gave it back."""
        return link("billing_invoice", entry.invoice_id, entry.invoice) if entry.invoice_id else SafeString("–")


def possible_actions(credit: Any) -> set[str]:
    """Return the names of the actions that the services would take for a credit, which has `left_minor`."""
    if credit.kind == Credit.Kind.CREDIT_NOTE or credit.voided_at is not None:
        return set()
    return {"take_back"} | ({"pay_out"} if credit.kind == Credit.Kind.PAID and credit.left_minor else set())


def expiry(credit: Credit) -> str:
    """Write from when on a credit pays nothing."""
    return moment(credit.expires_at) if credit.expires_at else _("never")


def state_badge(credit: Any) -> SafeString:
    """Write what a credit, which has `left_minor`, is good for as a coloured label."""
    state = state_of(credit, now=clock.now())
    return badge(state.label, CREDIT_COLORS[state.value])


def _credit(object_id: str) -> Any:
    return get_object_or_404(with_left(Credit.objects.select_related("customer")), pk=object_id)
