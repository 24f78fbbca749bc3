"""The versions of all plans: find one, look at it, and do something with it."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from billing.admin.plan_actions import VersionActions
from billing.admin.shown import label_column, link
from billing.admin.version_page import VERSION_COLORS, version_page
from billing.models import PlanVersion
from squill.web.admin_pages import ReadOnlyAdmin


class OfferFilter(admin.SimpleListFilter):
    """Versions for everybody, and customers' own."""

    title = gettext_lazy("for")
    parameter_name = "for"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("all", _("Everybody")), ("one", _("One customer"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        return queryset.filter(customer__isnull=self.value() == "all") if self.value() in ("all", "one") else queryset


@admin.register(PlanVersion)
class PlanVersionAdmin(VersionActions, ReadOnlyAdmin):
    """What each version costs."""

    list_display = ("__str__", "state", "currency", "only_for", "billed", "subscribers", "published_at")
    list_select_related = ("plan", "customer")
    list_filter = ("status", "currency", OfferFilter, "plan__kind", "plan", ("customer", AutocompleteSelectFilter))
    list_filter_submit = True
    search_fields = ("plan__name", "plan__code", "customer__name", "customer__external_id")
    ordering = ("plan__name", "-version")
    change_form_template = "admin/billing/plan_version.html"
    fields = ()
    inlines = ()

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the versions with the count that the list shows, in one query."""
        versions: QuerySet[Any] = super().get_queryset(request)
        running = Count("subscriptions", filter=Q(subscriptions__ends_at__isnull=True))
        annotated: QuerySet[Any] = versions.annotate(subscription_count=running)
        return annotated

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """Show the version itself in the place of a form."""
        if obj is not None:
            context = context | {"page": version_page(obj, request.GET)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    @label_column(description=gettext_lazy("state"), colors=VERSION_COLORS, ordering="status")
    def state(self, version: PlanVersion) -> tuple[str, str]:
        """Return the state as a coloured label."""
        return version.status, version.get_status_display()

    @admin.display(description=gettext_lazy("only for"), ordering="customer__name")
    def only_for(self, version: PlanVersion) -> SafeString | str:
        """Return whose own version it is."""
        return link("customers_customer", version.customer_id, version.customer) if version.customer else _("everybody")

    @admin.display(description=gettext_lazy("billed"), ordering="interval")
    def billed(self, version: PlanVersion) -> str:
        """Return how often it is billed."""
        return version.cadence_words

    @admin.display(description=gettext_lazy("open subscriptions"), ordering="subscription_count")
    def subscribers(self, version: Any) -> int:
        """Return how many subscriptions without an end have it."""
        return int(version.subscription_count)
