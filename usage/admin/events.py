"""Events in the finance desk: to read, to void, and to replace."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import checkbox

from customers.models import Subject
from squill.web.admin_pages import HugeReadOnlyAdmin, list_action
from usage.admin.identity import event_ref, read_event_ref
from usage.admin.payload import short, with_exact_data
from usage.admin.replacing import replace_event_page
from usage.admin.voiding import void_events
from usage.admin.voiding_many import void_many_page
from usage.models import Correction, Event, Meter


class TypeFilter(admin.SimpleListFilter):
    """Filters by the types that meters count; asking the events themselves for their types would read them all."""

    title = gettext_lazy("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the types that meters count."""
        types = Meter.objects.order_by("event_type").values_list("event_type", flat=True).distinct()
        return [(event_type, event_type) for event_type in types]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the events of the chosen type."""
        return queryset.filter(event_type=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(HugeReadOnlyAdmin):
    """Stored events, newest first. The list shows all there is: a page of its own would have no index to find the row."""

    list_display = ("occurred_at", "counts", "customer", "event_type", "payload", "named", "source", "event_id", "received_at")
    list_display_links = None
    list_select_related = ("customer",)
    list_filter = (TypeFilter,)
    ordering = ("-occurred_at",)
    search_fields = ("subject",)
    search_help_text = gettext_lazy("A subject, or a customer's external id")
    actions = ("replace_selected", "void_selected")  # type: ignore[assignment]
    actions_list = ("void_many",)

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the events with their exact data, and whether each was corrected, by the index on customer and time."""
        same = {name: OuterRef(name) for name in ("customer_id", "occurred_at", "source", "event_id")}
        corrections = Correction.objects.filter(**same)
        events: QuerySet[Any] = with_exact_data(super().get_queryset(request)).annotate(is_corrected=Exists(corrections))
        return events

    def action_checkbox(self, obj: Any) -> SafeString:
        """Return the box that chooses an event, named by its identity."""
        rendered: SafeString = checkbox.render(ACTION_CHECKBOX_NAME, event_ref(obj.source, obj.event_id))
        return rendered

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *_where: Any) -> HttpResponse | None:
        """Run an action, which finds its events by their names: Django's own way would look for primary keys."""
        chosen: Any = self.get_actions(request).get(request.POST.get("action", ""))
        response: HttpResponse | None = chosen[0](self, request, queryset) if chosen else None
        return response

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Add the page that replaces an event."""
        return (("<str:ref>/replace/", "usage_event_replace", self.replace),)

    def has_correct_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those act who may make corrections."""
        return bool(request.user.has_perm("usage.add_correction"))

    def replace(self, request: HttpRequest, ref: str, model_admin: Any = None) -> HttpResponse:
        """Show the page that replaces the event of this name."""
        if not self.has_correct_permission(request):
            raise PermissionDenied
        return replace_event_page(self, request, ref)

    @admin.action(description=gettext_lazy("Replace"), permissions=["correct"])
    def replace_selected(self, request: HttpRequest, queryset: QuerySet[Event]) -> HttpResponse | None:
        """Go to the page that replaces the selected event."""
        refs = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if len(refs) == 1 and read_event_ref(refs[0]):
            return redirect("admin:usage_event_replace", refs[0])
        messages.warning(request, _("Events are replaced one by one: choose one."))
        return None

    @list_action(title=gettext_lazy("Void many…"), path="void-many", icon="backspace", permission="correct")
    def void_many(self, request: HttpRequest) -> HttpResponse:
        """Show the page that voids all events of a source or subject in a time range."""
        return void_many_page(self, request)

    @admin.action(description=gettext_lazy("Void"), permissions=["correct"])
    def void_selected(self, request: HttpRequest, queryset: QuerySet[Event]) -> HttpResponse | None:
        """Show what voiding the selected events changes, ask for a reason, and void them."""
        return void_events(self, request)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find the events of one customer, by the index on it."""
        term = search_term.strip()
        if not term:
            return queryset, False
        return queryset.filter(customer__in=Subject.objects.filter(key=term).values("customer_id")), False

    @admin.display(description=gettext_lazy("counts"), boolean=True)
    def counts(self, event: Any) -> bool:
        """Say whether the event still counts."""
        return not event.is_corrected

    @admin.display(description=gettext_lazy("data"))
    def payload(self, event: Any) -> str:
        """Return the data as it is stored."""
        return short(event.data_text)

    @admin.display(description=gettext_lazy("subject"))
    def named(self, event: Any) -> str:
        """Return the subject that the event came with."""
        return str(event.subject or event.customer.external_id)
