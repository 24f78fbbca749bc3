"""Coupons in the finance desk: made by a form, looked at with their uses, archived after a question."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectMultipleWidget

from billing.admin.shown import badge, link, money
from billing.models import Charge, Coupon, CouponRedemption, Plan
from billing.reductions.coupons import USED, uses_left
from billing.reductions.offering import archive_coupon, create_coupon, update_coupon
from billing.reductions.redeeming import HeldCoupon, HeldState
from billing.reductions.refusals import ReductionError
from squill.lib import clock
from squill.lib.actor import Actor, system
from squill.lib.currency import CODES, exponent
from squill.lib.decimals import plain
from squill.web.admin_pages import KeptAdmin, ReadOnlyInline, RecordForm, actor_of, confirmed, detail_action

HELD_COLORS = {HeldState.RUNNING.value: "success", HeldState.USED_UP.value: "info", HeldState.TAKEN_AWAY.value: ""}
_FIELDS = {"amount_minor": "amount", "plan_codes": "plans", "charge_codes": "charges"}


class CouponForm(RecordForm):
    """A coupon; what it takes off is asked only of a new one."""

    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        required=False,
        max_digits=18,
        decimal_places=4,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=gettext_lazy("Off every invoice that it lasts for, in major units of the currency."),
    )
    plans = forms.MultipleChoiceField(
        label=gettext_lazy("Plans and add-ons"),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
        help_text=gettext_lazy("Whose lines it reduces. None chosen: those of all, and one-off items too."),
    )
    charges = forms.MultipleChoiceField(
        label=gettext_lazy("Charges"),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
        help_text=gettext_lazy("Whose lines it reduces. None chosen: all."),
    )

    class Meta:
        model = Coupon
        fields = ("code", "name", "percent", "currency", "duration", "period_count", "max_redemptions", "redeem_until")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            return
        plans: Any = self.fields["plans"]
        charges: Any = self.fields["charges"]
        plans.choices = [(code, f"{name} ({code})") for code, name in Plan.objects.order_by("name").values_list("code", "name")]
        codes = Charge.objects.order_by("code").values_list("code", flat=True).distinct()
        charges.choices = [*((code, code) for code in codes), (":minimum-commitment", _("Difference to the minimum commitment"))]

    def clean(self) -> dict[str, Any]:
        """Let the service try it and take it back, so that what it refuses stands beside the field."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            with transaction.atomic():
                self.apply(actor=system("admin form"), now=clock.now())
                transaction.set_rollback(True)
        except ReductionError as refusal:
            field = _FIELDS.get(refusal.field, refusal.field)
            self.add_error(field if field in self.fields else None, refusal.message)
        return cleaned

    def apply(self, *, actor: Actor, now: datetime) -> Coupon:
        """Create or change the coupon by its service."""
        values = dict(self.cleaned_data)
        if self.instance.pk:
            code = Coupon.objects.values_list("code", flat=True).get(pk=self.instance.pk)
            changes: dict[str, Any] = {
                name: values[name] for name in ("name", "max_redemptions", "redeem_until") if name in values
            }
            return update_coupon(code=code, changes=changes, actor=actor, now=now)
        amount = values.pop("amount")
        return create_coupon(
            plan_codes=values.pop("plans"),
            charge_codes=values.pop("charges"),
            amount_minor=None if amount is None else _minor(amount, values["currency"]),
            actor=actor,
            now=now,
            **values,
        )


def _minor(amount: Any, currency: str) -> int:
    """
    Return an amount in minor units.

    :raises ReductionError: if the currency is none, or has no coin as small as that
    """
    if currency not in CODES:
        raise ReductionError(_("write a currency by its ISO 4217 code, such as EUR"), field="currency", code="unusable")
    minor = amount.scaleb(exponent(currency))
    if minor != int(minor):
        message = _("an amount in %(currency)s has at most %(places)d decimals")
        words = {"currency": currency, "places": exponent(currency)}
        raise ReductionError(message % words, field="amount_minor", code="unusable")
    return int(minor)


class UseInline(ReadOnlyInline):
    """Who was given the coupon, newest first."""

    model = CouponRedemption
    verbose_name_plural = gettext_lazy("given to")
    fields: ClassVar[Any] = ("who", "only", "state", "uses", "redeemed_at", "ended_at")
    readonly_fields: ClassVar[Any] = fields
    ordering = ("-redeemed_at", "-pk")
    show_title = False
    show_change_link = False
    tab = False
    per_page = 24

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the redemptions with their uses, in one query."""
        rows = super().get_queryset(request).select_related("customer", "coupon", "subscription")
        counted: QuerySet[Any] = rows.annotate(used_count=Count("discounts__invoice_id", filter=USED, distinct=True))
        return counted

    @admin.display(description=gettext_lazy("customer"))
    def who(self, redemption: CouponRedemption) -> SafeString:
        """Return the way to the customer."""
        return link("customers_customer", redemption.customer_id, redemption.customer)

    @admin.display(description=gettext_lazy("only on"))
    def only(self, redemption: CouponRedemption) -> str:
        """Return the one subscription that it reduces."""
        return redemption.subscription.external_id if redemption.subscription else "–"

    @admin.display(description=gettext_lazy("state"))
    def state(self, redemption: Any) -> SafeString:
        """Return what has become of it as a coloured label."""
        state = _held(redemption).state
        return badge(state.label, HELD_COLORS[state.value])

    @admin.display(description=gettext_lazy("uses"))
    def uses(self, redemption: Any) -> str:
        """Return on how many invoices it is, and on how many more it will be."""
        held = _held(redemption)
        if held.uses_left is None:
            return str(held.uses)
        return _("%(uses)d, %(left)d left") % {"uses": held.uses, "left": held.uses_left}


def _held(redemption: Any) -> HeldCoupon:
    return HeldCoupon(redemption, redemption.used_count, uses_left(redemption, redemption.used_count))


class ArchivedFilter(admin.SimpleListFilter):
    """Coupons by whether they can still be redeemed."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("open", gettext_lazy("Can be redeemed")), ("closed", gettext_lazy("Archived or out of time"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        closed = Q(archived_at__isnull=False) | Q(redeem_until__lte=clock.now())
        return {"open": queryset.exclude(closed), "closed": queryset.filter(closed)}.get(str(self.value()), queryset)


@admin.register(Coupon)
class CouponAdmin(KeptAdmin):
    """Find coupons, make one, see who has it, and archive it."""

    form = CouponForm
    list_display = ("name", "code", "off", "lasts", "given", "state")
    list_filter = (ArchivedFilter, "duration")
    search_fields = ("name", "code")
    ordering = ("name", "code")
    actions_detail = ("archive",)
    inlines = (UseInline,)

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the coupons with how often they were redeemed, in one query."""
        counted: QuerySet[Any] = super().get_queryset(request).annotate(redemption_count=Count("redemptions"))
        return counted

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Show nobody while the coupon is being made."""
        return self.inlines if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for all of a new coupon; of one that is there only what may still change."""
        if obj is not None:
            facts = (("code", "off"), ("lasts", "only_plans", "only_charges"), ("created_at", "archived_at"))
            return ((None, {"fields": ("name", ("max_redemptions", "redeem_until"))}), (_("Fixed"), {"fields": facts}))
        return (
            (None, {"fields": (("code", "name"),)}),
            (_("What it takes off"), {"fields": ("percent", ("amount", "currency"), ("duration", "period_count"))}),
            (_("Of what"), {"fields": ("plans", "charges")}),
            (_("Limits"), {"fields": (("max_redemptions", "redeem_until"),)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix what a coupon takes off once there is one: another coupon is made in a minute."""
        return ("code", "off", "lasts", "only_plans", "only_charges", "created_at", "archived_at") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save by the service, which audits."""
        coupon = form.apply(actor=actor_of(request), now=clock.now())
        obj.__dict__.update(coupon.__dict__)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer archiving once."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return offered if Coupon.objects.filter(pk=object_id, archived_at=None).exists() else []

    @detail_action(title=gettext_lazy("Archive"), path="archive", icon="archive")
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let nobody redeem it any more."""
        coupon = get_object_or_404(Coupon, pk=object_id)
        count = CouponRedemption.objects.filter(coupon=coupon, ended_at=None).count()
        words = ngettext(
            "Archive %(coupon)s? Nobody can redeem it any more, for good. The %(count)d customer who has it keeps it.",
            "Archive %(coupon)s? Nobody can redeem it any more, for good. The %(count)d customers who have it keep it.",
            count,
        )
        return confirmed(
            self,
            request,
            coupon,
            title=_("Archive"),
            question=words % {"coupon": coupon, "count": count},
            run=lambda: _archive(coupon, request),
            done=_("%(coupon)s is archived.") % {"coupon": coupon},
        )

    @admin.display(description=gettext_lazy("takes off"))
    def off(self, coupon: Coupon) -> str:
        """Return the percentage, or the amount with its currency."""
        return taken_off(coupon)

    @admin.display(description=gettext_lazy("lasts"))
    def lasts(self, coupon: Coupon) -> str:
        """Return for how many invoices of a customer."""
        return lasting(coupon)

    @admin.display(description=gettext_lazy("given"), ordering="redemption_count")
    def given(self, coupon: Any) -> str:
        """Return how often it was redeemed, and how often it can be."""
        most = coupon.max_redemptions
        words = {"count": coupon.redemption_count, "most": most}
        return str(coupon.redemption_count) if most is None else _("%(count)d of %(most)d") % words

    @admin.display(description=gettext_lazy("state"))
    def state(self, coupon: Coupon) -> SafeString:
        """Return whether it can be redeemed as a coloured label."""
        if coupon.archived_at is not None:
            return badge(_("archived"), "")
        if coupon.redeem_until is not None and coupon.redeem_until <= clock.now():
            return badge(_("out of time"), "warning")
        return badge(_("open"), "success")

    @admin.display(description=gettext_lazy("plans and add-ons"))
    def only_plans(self, coupon: Coupon) -> str:
        """Return whose lines it reduces."""
        return ", ".join(coupon.plan_codes) or _("all")

    @admin.display(description=gettext_lazy("charges"))
    def only_charges(self, coupon: Coupon) -> str:
        """Return whose lines it reduces."""
        return ", ".join(coupon.charge_codes) or _("all")


def taken_off(coupon: Coupon) -> str:
    """Write what a coupon takes off: "10 %" or "€5.00"."""
    if coupon.percent is not None:
        return f"{plain(coupon.percent)} %"
    return money(coupon.amount_minor or 0, coupon.currency)


def lasting(coupon: Coupon) -> str:
    """Write how long a coupon lasts: "once", "3 invoices", "for ever"."""
    if coupon.period_count is not None:
        return ngettext("%(count)d invoice", "%(count)d invoices", coupon.period_count) % {"count": coupon.period_count}
    return coupon.get_duration_display()


def _archive(coupon: Coupon, request: HttpRequest) -> None:
    archive_coupon(code=coupon.code, actor=actor_of(request), now=clock.now())
