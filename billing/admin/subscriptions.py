"""Subscriptions in the finance desk: started, ended and brought back after trouble, each by its service."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSingleDateWidget

from billing.admin.asking import NothingToAsk, asked, posted
from billing.admin.shown import badge, day, days, label_column, link
from billing.admin.subscription_start import StartForm, within
from billing.models import BillingPeriod, Subscription
from billing.runs.unparking import unpark_subscription
from billing.subscriptions.services import SubscriptionError, end_subscription
from squill.lib import clock
from squill.web.admin_pages import KeptAdmin, ReadOnlyInline, actor_of, detail_action

_COLORS = {"running": "success", "ended": "", "later": "info", "parked": "danger"}


class EndForm(forms.Form):
    """When a subscription ends."""

    ends_on = forms.DateField(
        label=gettext_lazy("Ends on"),
        widget=UnfoldAdminSingleDateWidget,
        help_text=gettext_lazy("The first day that is no longer part of it, in the customer's time zone."),
    )


class PeriodInline(ReadOnlyInline):
    """The stored periods, newest first, with what billed them."""

    model = BillingPeriod
    fields = ("span", "advance", "arrears", "state", "attempts", "last_error")
    readonly_fields = fields
    ordering = ("-index",)
    show_change_link = False
    show_title = False
    tab = False
    per_page = 24

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the periods with their invoices, in one query."""
        return super().get_queryset(request).select_related("advance_invoice", "arrears_invoice")

    @admin.display(description=gettext_lazy("days"))
    def span(self, period: BillingPeriod) -> str:
        """Return the days, both inclusive."""
        return days(period.first_day, date.fromordinal(period.end_day.toordinal() - 1))

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


class ParkedFilter(admin.SimpleListFilter):
    """Subscriptions with a period that waits for a person."""

    title = gettext_lazy("trouble")
    parameter_name = "parked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the one choice."""
        return [("yes", _("Parked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        return queryset.filter(is_parked=True) if self.value() == "yes" else queryset


@admin.register(Subscription)
class SubscriptionAdmin(KeptAdmin):
    """Find, start and end subscriptions; what has been started does not change otherwise."""

    form = StartForm
    list_display = ("customer", "plan_version", "state", "first_day", "end_day", "external_id")
    list_select_related = ("customer", "plan", "plan_version__plan")
    list_filter = (ParkedFilter, "plan", ("ends_at", admin.EmptyFieldListFilter))
    search_fields = ("external_id", "customer__name", "customer__external_id")
    ordering = ("customer__name", "-started_on", "pk")
    autocomplete_fields = ("customer",)
    inlines = (PeriodInline,)
    actions_detail = ("end", "try_again")

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the subscriptions and whether they are parked, in one query."""
        parked = BillingPeriod.objects.filter(subscription=OuterRef("pk"), parked_at__isnull=False)
        subscriptions: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = subscriptions.annotate(is_parked=Exists(parked))
        return annotated

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for little when one is started; show all when it is there."""
        if obj is None:
            return ((None, {"fields": ("customer", "plan", ("starts_on", "ends_on"), "external_id")}),)
        facts = (
            ("customer", "plan_version"),
            ("started_on", "ended_on"),
            ("starts_at", "ends_at"),
            ("external_id", "created_at"),
        )
        return ((None, {"fields": facts}),)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Leave the periods out while there are none."""
        return self.inlines if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse to change a subscription that there is: it is ended, and another started."""
        return obj is None and super().has_change_permission(request, obj)

    def has_act_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those act who may change subscriptions."""
        return bool(request.user.has_perm("billing.change_subscription"))

    @label_column(description=gettext_lazy("state"), colors=_COLORS, ordering="ends_at")
    def state(self, subscription: Any) -> tuple[str, str]:
        """Return the state as a coloured label."""
        now = clock.now()
        if subscription.is_parked:
            return "parked", _("parked")
        if subscription.ends_at is not None and subscription.ends_at <= now:
            return "ended", _("ended")
        return ("later", _("not begun")) if subscription.starts_at > now else ("running", _("running"))

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

    @detail_action(title=gettext_lazy("End"), path="end", icon="event_busy", permission="act")
    def end(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask when, then end it."""
        subscription = get_object_or_404(Subscription.objects.select_related("customer", "plan"), pk=object_id)

        def run(values: Mapping[str, Any]) -> str:
            ends_at = within(values["ends_on"], subscription.customer)
            end_subscription(subscription_id=subscription.pk, ends_at=ends_at, actor=actor_of(request), now=clock.now())
            return _("%(subscription)s ends on %(day)s.") % {"subscription": subscription, "day": values["ends_on"]}

        return asked(
            self,
            request,
            subscription,
            title=_("End"),
            question=_(
                "When does %(subscription)s end? Usage up to that day is billed, a fee that was paid for longer comes back."
            )
            % {"subscription": subscription},
            form=EndForm(posted(request)),
            run=run,
            refusals=(SubscriptionError,),
            is_final=True,
        )

    @detail_action(title=gettext_lazy("Try again"), path="try-again", icon="restart_alt", permission="act")
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then bring parked periods back into the next run."""
        subscription = get_object_or_404(Subscription.objects.select_related("customer", "plan"), pk=object_id)

        def run(_values: Mapping[str, Any]) -> str:
            count = unpark_subscription(subscription_id=subscription.pk, actor=actor_of(request), now=clock.now())
            return ngettext(
                "%(count)d period is tried again by the next run.", "%(count)d periods are tried again by the next run.", count
            ) % {"count": count}

        return asked(
            self,
            request,
            subscription,
            title=_("Try again"),
            question=_("Bill the parked periods of %(subscription)s in the next run? Look first at what went wrong.")
            % {"subscription": subscription},
            form=NothingToAsk(posted(request)),
            run=run,
            refusals=(),
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        subscription = self.get_queryset(request).filter(pk=object_id).first()
        if subscription is None:
            return []
        allowed = {f"billing_subscription_{name}" for name in _possible(subscription)}
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if one.action_name in allowed]


def _possible(subscription: Any) -> set[str]:
    ended = subscription.ends_at is not None and subscription.ends_at <= clock.now()
    return {name for name, is_possible in (("end", not ended), ("try_again", subscription.is_parked)) if is_possible}


def _billed(invoice: Any, *, is_billed: bool) -> SafeString | str:
    if invoice is not None:
        return link("billing_invoice", invoice.pk, invoice)
    return _("nothing to bill") if is_billed else _("not billed yet")
