"""What is sold, to read. Plans are published through the catalogue file or the API; a published version never changes (I8)."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.shown import label_column, link, locale
from billing.models import Charge, Plan, PlanVersion
from billing.pricing.charge import parse_charge
from billing.pricing.describe import describe_charge
from squill.web import formatting
from squill.web.admin_pages import ReadOnlyAdmin, ReadOnlyInline

_COLORS = {"draft": "warning", "published": "success", "archived": ""}


class ChargeInline(ReadOnlyInline):
    """The charges of a version, in words."""

    model = Charge
    fields = ("name", "code", "meter", "only", "price", "billed")
    readonly_fields = fields
    ordering = ("position",)
    show_change_link = False
    show_title = False
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the charges with what they name, in one query."""
        return super().get_queryset(request).select_related("meter", "plan_version__plan")

    @admin.display(description=gettext_lazy("only"))
    def only(self, charge: Charge) -> str:
        """Return which usage of the meter the charge takes."""
        return ", ".join(f"{name}: {value}" for name, value in charge.filter.items()) or "–"

    @admin.display(description=gettext_lazy("price"))
    def price(self, charge: Charge) -> SafeString:
        """Return the price in words, a line a tier."""
        currency = charge.plan_version.plan.currency
        words = describe_charge(
            parse_charge(charge.terms),
            currency=currency,
            money=lambda amount: formatting.format_unit_price(amount, currency, locale()),
            quantity=lambda number: formatting.format_decimal(number, locale()),
        )
        return format_html_join("", '<span class="desk-words">{}</span>', ((row,) for row in words))


class VersionInline(ReadOnlyInline):
    """The versions of a plan, newest first."""

    model = PlanVersion
    show_title = False
    show_change_link = False
    fields = ("name", "status", "interval", "anchor", "published_at")
    readonly_fields = fields
    ordering = ("-version",)
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the versions with their plan, in one query."""
        return super().get_queryset(request).select_related("plan")

    @admin.display(description=gettext_lazy("version"))
    def name(self, version: PlanVersion) -> SafeString:
        """Return the way to the version."""
        return link("billing_planversion", version.pk, version)


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """The offers."""

    list_display = ("name", "code", "currency", "on_sale", "running")
    search_fields = ("name", "code")
    list_filter = ("currency",)
    ordering = ("name",)
    inlines = (VersionInline,)
    fields = (("name", "code"), ("currency", "created_at"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the plans with the counts that the list shows, in one query."""
        plans: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = plans.annotate(
            subscription_count=Count("subscriptions", filter=Q(subscriptions__ends_at__isnull=True), distinct=True),
            version_on_sale=Max("versions__version", filter=Q(versions__status=PlanVersion.Status.PUBLISHED)),
        )
        return annotated

    @admin.display(description=gettext_lazy("on sale"))
    def on_sale(self, plan: Any) -> str:
        """Return which version new subscriptions get."""
        return _("version %(number)d") % {"number": plan.version_on_sale} if plan.version_on_sale else "–"

    @admin.display(description=gettext_lazy("open subscriptions"), ordering="subscription_count")
    def running(self, plan: Any) -> int:
        """Return how many subscriptions have no end."""
        return int(plan.subscription_count)


@admin.register(PlanVersion)
class PlanVersionAdmin(ReadOnlyAdmin):
    """What each version costs."""

    list_display = ("__str__", "state", "interval", "anchor", "commitment", "published_at")
    list_select_related = ("plan",)
    list_filter = ("status", "interval")
    search_fields = ("plan__name", "plan__code")
    ordering = ("plan__name", "-version")
    inlines = (ChargeInline,)
    fields = (("plan", "version", "status"), ("interval", "anchor"), ("commitment", "created_at", "published_at"))
    readonly_fields = ("commitment",)

    class Media:
        css = {"all": ("squill/desk.css",)}

    @label_column(description=gettext_lazy("state"), colors=_COLORS, ordering="status")
    def state(self, version: PlanVersion) -> tuple[str, str]:
        """Return the state as a coloured label."""
        return version.status, version.get_status_display()

    @admin.display(description=gettext_lazy("minimum commitment"))
    def commitment(self, version: PlanVersion) -> SafeString | str:
        """Return what a full period costs at least."""
        if version.minimum_commitment is None:
            return "–"
        return format_html("{}", formatting.format_unit_price(version.minimum_commitment, version.plan.currency, locale()))
