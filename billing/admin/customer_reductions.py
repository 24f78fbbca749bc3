"""Coupons and credits on a customer's page: what they have, and the buttons that give and take."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from billing.admin.asking import asked, posted
from billing.admin.coupons import UseInline, lasting, taken_off
from billing.admin.credits import ReasonForm, expiry, state_badge
from billing.admin.shown import link, money
from billing.models import Coupon, CouponRedemption, Credit, Subscription
from billing.reductions.granting import USUAL_PRIORITY, grant_credit, void_credit
from billing.reductions.ledger import with_left
from billing.reductions.redeeming import redeem_coupon, take_away_coupon
from billing.reductions.refusals import ReductionError
from customers.models import Customer
from squill.lib import clock
from squill.lib.currency import exponent
from squill.web.admin_pages import ReadOnlyInline, actor_of, detail_action

if TYPE_CHECKING:
    from squill.web.admin_pages import KeptAdmin as _Admin

    _RowChoice = forms.ModelChoiceField[Any]
else:
    _Admin = object
    _RowChoice = forms.ModelChoiceField


class HeldCouponInline(UseInline):
    """The coupons that the customer has or had, newest first."""

    verbose_name_plural = gettext_lazy("coupons")
    fields: ClassVar[Any] = ("coupon_link", "off", "only", "state", "uses", "redeemed_at", "ended_at")
    readonly_fields: ClassVar[Any] = fields
    tab = True

    @admin.display(description=gettext_lazy("coupon"))
    def coupon_link(self, redemption: CouponRedemption) -> SafeString:
        """Return the way to the coupon."""
        return link("billing_coupon", redemption.coupon_id, redemption.coupon)

    @admin.display(description=gettext_lazy("takes off"))
    def off(self, redemption: CouponRedemption) -> str:
        """Return what it takes off, and for how long."""
        return f"{taken_off(redemption.coupon)}, {lasting(redemption.coupon)}"


class CreditInline(ReadOnlyInline):
    """The customer's credits, newest first."""

    model = Credit
    fields = ("credit_link", "kind", "state", "amount", "left", "priority", "expires")
    readonly_fields = fields
    ordering = ("-granted_at", "-pk")
    show_title = False
    show_change_link = False
    per_page = 24

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the credits with what is left of them, in one query."""
        return with_left(super().get_queryset(request))

    @admin.display(description=gettext_lazy("credit"))
    def credit_link(self, credit: Credit) -> SafeString:
        """Return the way to the credit."""
        return link("billing_credit", credit.pk, credit)

    @admin.display(description=gettext_lazy("state"))
    def state(self, credit: Any) -> SafeString:
        """Return what it is good for as a coloured label."""
        return state_badge(credit)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, credit: Credit) -> str:
        """Return what was granted."""
        return money(credit.amount_minor, credit.currency)

    @admin.display(description=gettext_lazy("left"))
    def left(self, credit: Any) -> str:
        """Return the sum of its entries."""
        return money(credit.left_minor, credit.currency)

    @admin.display(description=gettext_lazy("expires"))
    def expires(self, credit: Credit) -> str:
        """Return from when on it pays nothing."""
        return expiry(credit)


class _Choice(_RowChoice):
    """A choice of rows, each in the words of `words`."""

    def __init__(self, *args: Any, words: Any, **kwargs: Any) -> None:
        super().__init__(*args, widget=UnfoldAdminSelectWidget, **kwargs)
        self._words = words

    def label_from_instance(self, obj: Any) -> str:
        """Return what the choice says."""
        return str(self._words(obj))


class RedeemForm(forms.Form):
    """Which coupon a customer is given."""

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_ones = Coupon.objects.filter(archived_at=None, currency__in=["", customer.currency]).order_by("name", "code")
        self.fields["coupon"] = _Choice(
            open_ones,
            label=gettext_lazy("Coupon"),
            words=lambda coupon: f"{coupon.name} ({coupon.code}): {taken_off(coupon)}, {lasting(coupon)}",
        )
        self.fields["subscription"] = _Choice(
            Subscription.objects.filter(customer=customer).select_related("plan").order_by("-started_on", "pk"),
            label=gettext_lazy("Only on"),
            required=False,
            empty_label=gettext_lazy("everything that is billed"),
            words=lambda subscription: f"{subscription.plan} ({subscription.external_id})",
            help_text=gettext_lazy("A coupon on everything reduces one-off invoices too."),
        )


class TakeAwayForm(forms.Form):
    """Which coupon a customer loses."""

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        running = CouponRedemption.objects.filter(customer=customer, ended_at=None).select_related("coupon")
        self.fields["redemption"] = _Choice(
            running.order_by("redeemed_at", "pk"),
            label=gettext_lazy("Coupon"),
            words=lambda held: f"{held.coupon.name} ({held.coupon.code})",
        )


class GrantForm(forms.Form):
    """Money in a customer's favour, in major units of its currency."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[(kind.value, kind.label) for kind in (Credit.Kind.PROMOTIONAL, Credit.Kind.PAID)],
        widget=UnfoldAdminSelectWidget,
    )
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Printed on invoices."),
    )
    amount = forms.DecimalField()  # made in __init__, by the currency's decimals
    cost_basis = forms.DecimalField()
    expires_on = forms.DateField(
        label=gettext_lazy("Expires on"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=gettext_lazy("The first day on which it pays nothing any more. Empty: never."),
    )
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("The lowest number pays first; among equals what expires first."),
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=140,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("How you find it again. The same reference again grants nothing twice."),
    )

    def __init__(self, *args: Any, decimals: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, is_needed in (("amount", _("Amount"), True), ("cost_basis", _("Paid for it"), False)):
            self.fields[name] = forms.DecimalField(
                label=label,
                required=is_needed,
                max_digits=18,
                decimal_places=decimals,
                widget=UnfoldAdminDecimalFieldWidget,
                help_text="" if is_needed else gettext_lazy("Prepaid credits only."),
            )


class VoidForm(ReasonForm):
    """Which credit is taken back."""

    field_order = ("credit", "reason")

    def __init__(self, *args: Any, customer: Customer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credit"] = _Choice(
            _voidable(customer),
            label=gettext_lazy("Credit"),
            words=lambda credit: f"{credit.name} ({credit.reference}): {money(credit.left_minor, credit.currency)}",
        )
        self.order_fields(self.field_order)


class ReductionActions(_Admin):
    """The buttons of a customer's page for coupons and credits."""

    def has_reduce_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those give and take away coupons who may add them to customers."""
        return bool(request.user.has_perm("billing.add_couponredemption"))

    def has_credit_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those give and take back credits who may add them."""
        return bool(request.user.has_perm("billing.add_credit"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to take away only what there is."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        customer = Customer.objects.filter(pk=object_id).first()
        unwanted = set()
        if not CouponRedemption.objects.filter(customer=customer, ended_at=None).exists():
            unwanted.add("customers_customer_take_away_coupon")
        if customer is None or not _voidable(customer).exists():
            unwanted.add("customers_customer_void_credit")
        return [one for one in offered if one.action_name not in unwanted]

    @detail_action(title=gettext_lazy("Redeem coupon"), path="redeem-coupon", icon="loyalty", permission="reduce")
    def redeem_coupon(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask which, then give it."""
        customer = get_object_or_404(Customer, pk=object_id)

        def run(values: Mapping[str, Any]) -> str:
            only: Subscription | None = values["subscription"]
            redeem_coupon(
                customer_id=customer.pk,
                code=values["coupon"].code,
                subscription=only.external_id if only else "",
                actor=actor_of(request),
                now=clock.now(),
            )
            return _("%(customer)s has coupon %(coupon)s.") % {"customer": customer, "coupon": values["coupon"]}

        return asked(
            self,
            request,
            customer,
            title=_("Redeem coupon"),
            question=_(
                "Which coupon does %(customer)s get? It reduces every invoice whose period ends or begins today or later, drafts "
                "of today too once they are worked out anew, until it is used up or taken away. Final invoices stay as they are."
            )
            % {"customer": customer},
            form=RedeemForm(posted(request), customer=customer),
            run=run,
            refusals=(ReductionError,),
        )

    @detail_action(title=gettext_lazy("Take coupon away"), path="take-coupon-away", icon="remove_circle", permission="reduce")
    def take_away_coupon(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask which, then take it away."""
        customer = get_object_or_404(Customer, pk=object_id)

        def run(values: Mapping[str, Any]) -> str:
            redemption = values["redemption"]
            take_away_coupon(redemption_id=redemption.pk, actor=actor_of(request), now=clock.now())
            return _("%(coupon)s is taken away.") % {"coupon": redemption.coupon}

        return asked(
            self,
            request,
            customer,
            title=_("Take coupon away"),
            question=_(
                "Which coupon does %(customer)s lose? Drafts lose it when they are next worked out; final invoices stay as they "
                "are."
            )
            % {"customer": customer},
            form=TakeAwayForm(posted(request), customer=customer),
            run=run,
            refusals=(ReductionError,),
        )

    @detail_action(title=gettext_lazy("Grant credit"), path="grant-credit", icon="savings", permission="credit")
    def grant_credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for what is given, then give it."""
        customer = get_object_or_404(Customer, pk=object_id)
        decimals = exponent(customer.currency)

        def run(values: Mapping[str, Any]) -> str:
            expires_on = values["expires_on"]
            credit, is_new = grant_credit(
                customer_id=customer.pk,
                kind=values["kind"],
                name=values["name"],
                reference=values["reference"],
                currency=customer.currency,
                amount_minor=int(values["amount"].scaleb(decimals)),
                cost_basis_minor=int((values["cost_basis"] or Decimal(0)).scaleb(decimals)),
                priority=values["priority"],
                expires_at=_begin(expires_on, customer) if expires_on else None,
                actor=actor_of(request),
                now=clock.now(),
            )
            words = _("%(credit)s is granted.") if is_new else _("%(credit)s was granted already: nothing was granted again.")
            return words % {"credit": credit}

        return asked(
            self,
            request,
            customer,
            title=_("Grant credit"),
            question=_(
                "What does %(customer)s get, in %(currency)s? It pays the next invoices when they are made final, after tax, "
                "until it is used up, expires or is taken back."
            )
            % {"customer": customer, "currency": customer.currency},
            form=GrantForm(posted(request), initial={"priority": USUAL_PRIORITY}, decimals=decimals),
            run=run,
            refusals=(ReductionError,),
        )

    @detail_action(title=gettext_lazy("Take credit back"), path="take-credit-back", icon="undo", permission="credit")
    def void_credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask which, then take back what is left of it."""
        customer = get_object_or_404(Customer, pk=object_id)

        def run(values: Mapping[str, Any]) -> str:
            credit = values["credit"]
            void_credit(credit_id=credit.pk, reason=values["reason"], actor=actor_of(request), now=clock.now())
            return _("%(credit)s is taken back.") % {"credit": credit}

        return asked(
            self,
            request,
            customer,
            title=_("Take credit back"),
            question=_(
                "Which credit does %(customer)s lose? What is left of it pays no invoice any more, and cannot be given again; "
                "what it has paid stays paid."
            )
            % {"customer": customer},
            form=VoidForm(posted(request), customer=customer),
            run=run,
            refusals=(ReductionError,),
            is_final=True,
        )


def _begin(day: date, customer: Customer) -> datetime:
    """Return the instant at which the customer's local day begins."""
    return datetime.combine(day, time.min, ZoneInfo(customer.timezone))


def _voidable(customer: Customer) -> QuerySet[Any]:
    """Return the credits that can be taken back."""
    mine = with_left(Credit.objects.filter(customer=customer, voided_at=None).exclude(kind=Credit.Kind.CREDIT_NOTE))
    return mine.filter(left_minor__gt=0).order_by("-granted_at", "-pk")
