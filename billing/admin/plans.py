"""The offers: what is sold under which code, and the way to build another."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from billing.admin.plan_builder.pages import Building, build_page
from billing.admin.plan_moves import move_page
from billing.admin.shown import badge, link
from billing.admin.version_page import VERSION_COLORS
from billing.models import Plan, PlanVersion
from squill.web.admin_pages import ReadOnlyAdmin, ReadOnlyInline, detail_action


class VersionInline(ReadOnlyInline):
    """The versions of a plan, newest first."""

    model = PlanVersion
    show_title = False
    show_change_link = False
    fields = ("name", "state", "currency", "only_for", "interval", "published_at")
    readonly_fields = fields
    ordering = ("-version",)
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the versions with what they name, in one query."""
        return super().get_queryset(request).select_related("plan", "customer")

    @admin.display(description=gettext_lazy("version"))
    def name(self, version: PlanVersion) -> SafeString:
        """Return the way to the version."""
        return link("billing_planversion", version.pk, version)

    @admin.display(description=gettext_lazy("state"))
    def state(self, version: PlanVersion) -> SafeString:
        """Return the state as a coloured label."""
        return badge(version.get_status_display(), VERSION_COLORS[version.status])

    @admin.display(description=gettext_lazy("only for"))
    def only_for(self, version: PlanVersion) -> str:
        """Return whose own version it is."""
        return str(version.customer) if version.customer else "–"


class OnSaleFilter(admin.SimpleListFilter):
    """Plans by whether anybody can have them."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("sale", gettext_lazy("On sale")), ("draft", gettext_lazy("With a draft")), ("off", gettext_lazy("Not on sale"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        published = Q(versions__status=PlanVersion.Status.PUBLISHED)
        if self.value() == "sale":
            return queryset.filter(published).distinct()
        if self.value() == "draft":
            return queryset.filter(versions__status=PlanVersion.Status.DRAFT).distinct()
        return queryset.exclude(published) if self.value() == "off" else queryset


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """Find plans, and build one."""

    list_display = ("name", "code", "kind", "on_sale", "drafts", "running")
    search_fields = ("name", "code")
    list_filter = ("kind", OnSaleFilter, "versions__currency")
    ordering = ("name",)
    inlines = (VersionInline,)
    fields = (("name", "code"), ("kind", "created_at"))
    actions_detail = ("move",)

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the plans with the counts that the list shows, in two queries."""
        plans: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = plans.annotate(
            subscription_count=Count("subscriptions", filter=Q(subscriptions__ends_at__isnull=True), distinct=True),
        )
        return annotated.prefetch_related("versions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those build who may add plans."""
        return bool(request.user.has_perm("billing.add_plan"))

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form that builds a plan."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return build_page(self, request, Building.new())

    def has_move_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those move subscriptions who may change them."""
        return bool(request.user.has_perm("billing.change_subscription"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer the move for plans; add-ons have no subscriptions of their own."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return offered if Plan.objects.filter(pk=object_id, kind=Plan.Kind.PLAN).exists() else []

    @detail_action(title=gettext_lazy("Move to the newest version…"), path="move", icon="move_up", permission="move")
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who has an older version, what the move means for each, and move them."""
        return move_page(self, request, get_object_or_404(Plan, pk=object_id, kind=Plan.Kind.PLAN))

    @admin.display(description=gettext_lazy("on sale in"))
    def on_sale(self, plan: Any) -> str:
        """Return the currencies in which everybody can have it, and how many customers have their own version."""
        sold = [version for version in plan.versions.all() if version.status == PlanVersion.Status.PUBLISHED]
        public = sorted(version.currency for version in sold if version.customer_id is None)
        own = len(sold) - len(public)
        return ", ".join([*public, *([gettext_lazy("%d own") % own] if own else [])]) or "–"

    @admin.display(description=gettext_lazy("drafts"))
    def drafts(self, plan: Any) -> SafeString | str:
        """Return how many drafts wait to be published."""
        count = sum(version.status == PlanVersion.Status.DRAFT for version in plan.versions.all())
        return badge(count, "warning") if count else "–"

    @admin.display(description=gettext_lazy("open subscriptions"), ordering="subscription_count")
    def running(self, plan: Any) -> int:
        """Return how many subscriptions have no end."""
        return int(plan.subscription_count)
