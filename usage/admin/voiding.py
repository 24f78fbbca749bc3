"""The page that asks before chosen events are voided."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from squill.lib import clock
from squill.web.admin_pages import actor_of
from usage.admin.asking import ReasonForm, ask, shown_effects
from usage.admin.identity import event_ref, events_of
from usage.corrections.correcting import void_chosen
from usage.corrections.moving import Moved
from usage.corrections.previewing import effects_of


def void_events(model_admin: Any, request: HttpRequest) -> HttpResponse | None:
    """Show what voiding the chosen events changes, and ask why; with a reason, void them and go back to the list (None)."""
    events = events_of(request.POST.getlist(ACTION_CHECKBOX_NAME))
    is_answered = "reason" in request.POST
    form = ReasonForm(request.POST if is_answered else None)

    def void(reason: str) -> Sequence[Moved]:
        return void_chosen(
            [(event.source, event.event_id) for event in events], reason=reason, actor=actor_of(request), now=clock.now()
        )

    if is_answered and form.is_valid():
        void(form.cleaned_data["reason"])
        count = len(events)
        told = ngettext("%(count)d event is voided.", "%(count)d events are voided.", count) % {"count": count}
        messages.success(request, told)
        return None
    effects = effects_of({event.customer_id for event in events}, lambda: void("preview"))
    refs = [(ACTION_CHECKBOX_NAME, event_ref(event.source, event.event_id)) for event in events]
    return ask(
        model_admin,
        request,
        "admin/usage/void_events.html",
        title=_("Void events"),
        question=_(
            "These events will not count any more. They stay readable, and their ids stay taken. This cannot be taken back."
        ),
        form=form,
        back=reverse("admin:usage_event_changelist"),
        hidden=[("action", "void_selected"), *refs],
        events=events,
        **shown_effects(effects),
    )
