"""The page that asks why quarantined events are discarded, and discards them."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from squill.lib import clock
from squill.web.admin_pages import actor_of
from usage.admin.asking import ReasonForm, ask
from usage.models import QuarantinedEvent
from usage.services import discard_quarantined

MOST: Final = 500  # events that one page names


def discard_events(
    model_admin: Any, request: HttpRequest, chosen: QuerySet[Any], *, back: str, action: str = ""
) -> HttpResponse | None:
    """
    Show the chosen events that wait, and ask why; with a reason, discard those that were shown, say so, and return None.

    `action` is the list's, for a page that is reached through it. Where nothing waits, that is said instead.
    """
    waiting = chosen.filter(status=QuarantinedEvent.Status.WAITING).order_by("-id")
    events: Sequence[QuarantinedEvent] = list(waiting[:MOST])
    if not events:
        messages.warning(request, _("None of these events waits any more, so nothing was discarded."))
        return None
    form = ReasonForm(request.POST if "reason" in request.POST else None)
    if form.is_valid():
        row_ids, reason = [event.pk for event in events], form.cleaned_data["reason"]
        count = discard_quarantined(row_ids=row_ids, reason=reason, actor=actor_of(request), now=clock.now())
        told = ngettext("%(count)d event is discarded.", "%(count)d events are discarded.", count) % {"count": count}
        messages.success(request, told)
        return None
    named = [("action", action), *((ACTION_CHECKBOX_NAME, event.pk) for event in events)] if action else []
    return ask(
        model_admin,
        request,
        "admin/usage/discard_events.html",
        title=_("Discard events"),
        question=_("Nobody will be billed for these events. They stay readable here, and are never replayed."),
        form=form,
        back=back,
        hidden=named,
        events=events,
        most=MOST,
    )
