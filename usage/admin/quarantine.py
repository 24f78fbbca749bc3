"""The quarantine in the finance desk: why events wait, and what to do about it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from squill.lib import clock
from squill.web.admin_pages import HugeReadOnlyAdmin, actor_of, confirmed, detail_action
from usage.admin.conflicts import conflict
from usage.admin.discarding import discard_events
from usage.admin.payload import indented, short, with_exact_data
from usage.admin.waiting import ReasonFilter, reason_cards
from usage.models import QuarantinedEvent
from usage.services import replay_quarantined


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(HugeReadOnlyAdmin):
    """Valid events that nobody can be billed for yet. They come back by themselves once customer or meter exist."""

    list_display = ("received_at", "reason", "status", "detail", "subject", "event_type", "payload")
    list_filter = (ReasonFilter, "status")
    list_before_template = "admin/usage/reason_cards.html"
    change_form_before_template = "admin/usage/conflict.html"
    ordering = ("-id",)
    search_fields = ("=subject", "=event_id", "=event_type")
    search_help_text = gettext_lazy("A subject, an id or a type, in full")
    actions = ("replay_selected", "discard_selected")  # type: ignore[assignment]
    actions_detail = ("replay", "discard")
    fieldsets = (
        (None, {"fields": (("reason", "status"), "detail", ("resolved_at", "discard_reason"))}),
        (
            gettext_lazy("Event"),
            {"fields": (("subject", "event_type"), ("source", "event_id"), ("occurred_at", "received_at"), "pretty")},
        ),
    )
    readonly_fields = ("pretty",)

    class Media:
        css = {"all": ("squill/desk.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows with their exact data."""
        return with_exact_data(super().get_queryset(request))

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those act who may change the quarantine."""
        return bool(request.user.has_perm("usage.change_quarantinedevent"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer only what can be done with this one."""
        event = self.get_object(request, object_id)
        possible = set()
        if event is not None and event.status == QuarantinedEvent.Status.WAITING:
            possible.add("usage_quarantinedevent_discard")
            if event.reason != QuarantinedEvent.Reason.CONFLICT:
                possible.add("usage_quarantinedevent_replay")
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if one.action_name in possible]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Add how many events wait for each reason."""
        return super().changelist_view(request, (extra_context or {}) | {"reason_cards": reason_cards(request)})

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """Add what the first event with the id says, where that is what this one waits for."""
        if obj is not None and obj.reason == QuarantinedEvent.Reason.CONFLICT:
            context = context | {"conflict": conflict(request, obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    @admin.display(description=gettext_lazy("data"))
    def payload(self, event: Any) -> str:
        """Return the beginning of the data."""
        return short(event.data_text)

    @admin.display(description=gettext_lazy("data"))
    def pretty(self, event: Any) -> SafeString:
        """Return the data, indented."""
        return indented(event.data_text)

    @admin.action(description=gettext_lazy("Replay now"), permissions=["decide"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]) -> None:
        """Try the selected events again."""
        row_ids = list(queryset.values_list("pk", flat=True))
        count = replay_quarantined(row_ids=row_ids, actor=actor_of(request), now=clock.now())
        told = ngettext("%(count)d event counts now.", "%(count)d events count now.", count) % {"count": count}
        messages.success(request, told)

    @admin.action(description=gettext_lazy("Discard"), permissions=["decide"])
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[QuarantinedEvent]) -> HttpResponse | None:
        """Show the selected events, ask why, and discard them."""
        return discard_events(self, request, queryset, back=request.get_full_path(), action="discard_selected")

    @detail_action(title=gettext_lazy("Replay now"), path="replay", icon="replay", permission="decide")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then try the event again."""
        event = self._event(request, object_id)
        return confirmed(
            self,
            request,
            event,
            title=_("Replay now"),
            question=_("Try to count %(event)s again? It waits on if its reason remains.") % {"event": event},
            run=lambda: _replay(event, request),
            done=_("%(event)s was tried again.") % {"event": event},
        )

    @detail_action(title=gettext_lazy("Discard"), path="discard", icon="delete", permission="decide")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask why, then put the event aside for good."""
        event = self._event(request, object_id)
        page = reverse("admin:usage_quarantinedevent_change", args=[event.pk])
        return discard_events(self, request, self.get_queryset(request).filter(pk=event.pk), back=page) or redirect(page)

    def _event(self, request: HttpRequest, object_id: str) -> QuarantinedEvent:
        event: QuarantinedEvent | None = self.get_object(request, object_id)
        if event is None:
            raise Http404(_("There is no such event."))
        return event


def _replay(event: QuarantinedEvent, request: HttpRequest) -> None:
    replay_quarantined(row_ids=[event.pk], actor=actor_of(request), now=clock.now())
