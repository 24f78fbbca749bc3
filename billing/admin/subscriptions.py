"""Subscriptions in the finance desk: found, started, and looked at; what changes them is in their pages' buttons."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.shown import badge, day, days, label_column, link
from billing.admin.subscription_pages.actions import SubscriptionActions
from billing.admin.subscription_pages.page import STATE_COLORS, shown_state, subscription_page
from billing.admin.subscription_pages.start import StartForm
from billing.models import BillingPeriod, Subscription
from billing.subscriptions.periods import LIVE
from billing.subscriptions.standing import State, standing_of, with_changes
from squill.lib import clock
from squill.web.admin_pages import KeptAdmin, ReadOnlyInline, actor_of

_KIND_COLORS = {"regular": "", "trial": "info", "paused": "warning"}


class PeriodInline(ReadOnlyInline):
    """The stored periods, newest first, with what billed them."""

    model = BillingPeriod
    fields = ("span", "terms", "kind_label", "advance", "arrears", "state", "attempts", "last_error")
    readonly_fields = fields
    ordering = ("-index",)
    show_change_link = False
    show_title = False
    tab = False
    per_page = 24

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the periods that are part of it with their invoices, in one query; what changes took away is left out."""
        periods = super().get_queryset(request).filter(LIVE)
        return periods.select_related("advance_invoice", "arrears_invoice", "plan_version__plan")

    @admin.display(description=gettext_lazy("days"))
    def span(self, period: BillingPeriod) -> str:
        """Return the days, both inclusive."""
        return days(period.first_day, date.fromordinal(period.end_day.toordinal() - 1))

    @admin.display(description=gettext_lazy("priced by"))
    def terms(self, period: BillingPeriod) -> SafeString:
        """Return the version that prices it."""
        return link("billing_planversion", period.plan_version_id, period.plan_version)

    @admin.display(description=gettext_lazy("kind"))
    def kind_label(self, period: BillingPeriod) -> SafeString | str:
        """Return whether it is charged as usual, a trial, or a pause."""
        if period.kind == BillingPeriod.Kind.REGULAR:
            return period.get_kind_display()
        return badge(period.get_kind_display(), _KIND_COLORS[period.kind])

    @admin.display(description=gettext_lazy("in advance"))
    def advance(self, period: BillingPeriod) -> SafeString | str:
        """Return the invoice of the fees in advance."""
        if not period.bills_in_advance:
            return "–"
        return _billed(period.advance_invoice, is_billed=period.advance_billed_at is not None)

    @admin.display(description=gettext_lazy("at its end"))
    def arrears(self, period: BillingPeriod) -> SafeString | str:
        """Return the invoice of usage and fees in arrears."""
        return _billed(period.arrears_invoice, is_billed=period.arrears_billed_at is not None)

    @admin.display(description=gettext_lazy("state"))
    def state(self, period: BillingPeriod) -> SafeString | str:
        """Return whether the period waits for a person."""
        if period.parked_at is not None:
            return badge(_("parked"), "danger")
        return badge(_("failed, trying again"), "warning") if period.attempts else "–"


class StateFilter(admin.SimpleListFilter):
    """Subscriptions by where they stand; what they are on today is that of the period that holds this instant."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        states = [(state.value, str(state.label).capitalize()) for state in State]
        return [("open", _("Not ended")), *states, ("parked", _("Parked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        now, chosen = clock.now(), self.value()
        ended = Q(ends_at__isnull=False, ends_at__lte=now)
        current = BillingPeriod.objects.filter(LIVE, subscription=OuterRef("pk"), starts_at__lte=now, ends_at__gt=now)
        kinds = {State.TRIAL.value: BillingPeriod.Kind.TRIAL, State.PAUSED.value: BillingPeriod.Kind.PAUSED}
        if chosen == "parked":
            return queryset.filter(is_parked=True)
        if chosen == State.ENDED.value:
            return queryset.filter(ended)
        if chosen == State.PLANNED.value:
            return queryset.filter(starts_at__gt=now)
        if chosen in kinds:
            return queryset.exclude(ended).filter(Exists(current.filter(kind=kinds[chosen])))
        if chosen == State.ACTIVE.value:
            return queryset.exclude(ended).filter(starts_at__lte=now).exclude(Exists(current.filter(kind__in=kinds.values())))
        return queryset.exclude(ended) if chosen == "open" else queryset


@admin.register(Subscription)
class SubscriptionAdmin(SubscriptionActions, KeptAdmin):
    """Find and start subscriptions; one that is there is changed by its buttons."""

    form = StartForm
    list_display = ("customer", "plan_version", "state", "first_day", "end_day", "external_id")
    list_filter = (StateFilter, "plan", "plan_version", "customer__currency")
    list_filter_submit = True
    search_fields = ("external_id", "customer__name", "customer__external_id")
    ordering = ("customer__name", "-started_on", "pk")
    autocomplete_fields = ("customer",)
    inlines = (PeriodInline,)
    change_form_outer_before_template = "admin/billing/subscription.html"

    class Media:
        css = {"all": ("squill/desk.css",)}
        js = ("squill/subscription.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the subscriptions with their changes, and whether they are parked. Four queries."""
        parked = BillingPeriod.objects.filter(LIVE, subscription=OuterRef("pk"), parked_at__isnull=False)
        subscriptions: QuerySet[Any] = super().get_queryset(request).select_related("plan", "plan_version__plan")
        annotated: QuerySet[Any] = with_changes(subscriptions).annotate(is_parked=Exists(parked))
        return annotated

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for little when one is started; one that is there has a page of its own."""
        if obj is not None:
            return ()
        asked = ("customer", "plan", "quantities", ("starts_on", "ends_on"), "trial_days", "external_id")
        return ((None, {"fields": asked}),)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave the periods out while there are none."""
        return self.inlines if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to change a subscription that there is by a form: its buttons do."""
        return obj is None and super().has_change_permission(request, obj)

    @label_column(description=gettext_lazy("state"), colors=STATE_COLORS, ordering="ends_at")
    def state(self, subscription: Any) -> tuple[str, str]:
        """Return the state as a coloured label."""
        return shown_state(standing_of(subscription, now=clock.now()), is_parked=subscription.is_parked)

    @admin.display(description=gettext_lazy("first day"), ordering="started_on")
    def first_day(self, subscription: Subscription) -> str:
        """Return the first local day."""
        return day(subscription.started_on)

    @admin.display(description=gettext_lazy("ends on"), ordering="ended_on")
    def end_day(self, subscription: Subscription) -> str:
        """Return the first local day that is no longer part of it."""
        return day(subscription.ended_on) if subscription.ended_on else "–"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Start it by the service, which audits."""
        started = form.apply(actor=actor_of(request), now=clock.now())
        obj.__dict__.update(started.__dict__)

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """Show how the subscription stands."""
        if obj is not None:
            now = clock.now()
            standing = standing_of(obj, now=now)
            may_act = self.has_act_permission(request)
            context = context | {"page": subscription_page(standing, is_parked=obj.is_parked, now=now, may_act=may_act)}
        return super().render_change_form(request, context, add, change, form_url, obj)


def _billed(invoice: Any, *, is_billed: bool) -> SafeString | str:
    if invoice is not None:
        return link("billing_invoice", invoice.pk, invoice)
    return _("nothing to bill") if is_billed else _("not billed yet")
