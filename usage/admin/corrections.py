"""Corrections in the finance desk: the list of them, and the page that asks before events are voided."""

import re
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextareaWidget

from squill.lib import clock
from squill.lib.decimals import plain
from squill.web.admin_pages import HugeReadOnlyAdmin, actor_of
from usage.corrections.correcting import LONGEST_REASON, void_chosen
from usage.corrections.finding import stored_events
from usage.corrections.moving import Moved
from usage.corrections.previewing import effects_of
from usage.models import Correction

_KEY: Final = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.ASCII)


@admin.register(Correction)
class CorrectionAdmin(HugeReadOnlyAdmin):
    """Events that were voided or replaced: by whom, when and why. Kept for ever."""

    list_display = (
        "corrected_at",
        "customer",
        "source",
        "event_id",
        "event_type",
        "occurred_at",
        "replacement_id",
        "reason",
        "actor_label",
    )
    list_select_related = ("customer",)
    ordering = ("-id",)
    search_fields = ("=event_id", "=replacement_id", "=subject")
    search_help_text = gettext_lazy("The id of an event or of its replacement, or a subject, in full")


class VoidForm(forms.Form):
    """Why events are voided."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept with the correction for ever."),
    )


def void_events(model_admin: Any, request: HttpRequest) -> HttpResponse | None:
    """
    Show what voiding the chosen events changes, and ask why; with a reason, void them and go back to the list (None).

    The events are found by their keys: the list's own query would have no index for that.
    """
    events = stored_events([key for key in request.POST.getlist(ACTION_CHECKBOX_NAME) if _KEY.fullmatch(key)])
    keys = [event.key for event in events]
    is_answered = "reason" in request.POST
    form = VoidForm(request.POST if is_answered else None)

    def void(reason: str) -> Sequence[Moved]:
        return void_chosen(keys, reason=reason, actor=actor_of(request), now=clock.now())

    if is_answered and form.is_valid():
        void(form.cleaned_data["reason"])
        count = len(events)
        told = ngettext("%(count)d event is voided.", "%(count)d events are voided.", count) % {"count": count}
        messages.success(request, told)
        return None
    effects = effects_of({event.customer_id for event in events}, lambda: void("preview"))
    rows = [(row.meter, row.day, row.dimensions, plain(row.before), plain(row.after), row.unit) for row in effects.changes]
    context = model_admin.admin_site.each_context(request) | {
        "title": _("Void events"),
        "opts": model_admin.model._meta,
        "events": events,
        "changes": rows,
        "adjustments": effects.adjustments,
        "form": form,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/usage/void_events.html", context)
