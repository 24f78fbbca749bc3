"""The pages that replace one event: a form, then what it changes, then the doing."""

from functools import partial
from typing import Any

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from squill.lib import clock
from squill.web.admin_pages import actor_of
from usage.admin.asking import ReasonForm, ask, shown_effects
from usage.admin.comparing import Content, indented, instant, side_by_side
from usage.admin.identity import event_or_404
from usage.admin.payload import with_exact_data
from usage.corrections import Corrected, CorrectionError, replace_event
from usage.corrections.finding import StoredEvent
from usage.corrections.previewing import preview
from usage.encoding import exact_json
from usage.ingestion import IncomingEvent
from usage.ingestion.checking import LONGEST_TEXT, EventChecker, limits
from usage.models import QuarantinedEvent

# The field that is to blame for a refusal, where one is.
_FIELDS = {"bad_reason": "reason", "id_taken": "id"}


def _text(label: Any, help_text: Any = "", *, required: bool = True) -> forms.CharField:
    # Blanks at the ends are part of what a sender wrote.
    return forms.CharField(label=label, help_text=help_text, required=required, strip=False, widget=UnfoldAdminTextInputWidget)


class ReplacementForm(ReasonForm):
    """The event that shall count in the place of another, read by the checker that reads the events of the API."""

    id = _text(gettext_lazy("Id"), gettext_lazy("A new one: the id of the first event stays taken."))
    source = _text(gettext_lazy("Source"))
    subject = _text(gettext_lazy("Subject"), gettext_lazy("One of the same customer's."))
    type = _text(gettext_lazy("Type"))
    time = _text(
        gettext_lazy("Time"),
        gettext_lazy("With its offset, such as 2026-03-01T12:30:00Z. Left empty, it is the time of the first event."),
        required=False,
    )
    event_data = forms.CharField(
        label=gettext_lazy("Data"),
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10, "class": "desk-code", "spellcheck": "false"}),
        help_text=gettext_lazy("A JSON object. Numbers are taken exactly as they are written."),
    )
    field_order = ("id", "source", "subject", "type", "time", "event_data", "reason")
    replacement: IncomingEvent | None = None

    def clean(self) -> dict[str, Any]:
        """Put what the checker finds wrong beside the fields."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            data = exact_json.decode(cleaned["event_data"])
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            self.add_error("event_data", _("This is not JSON: %(error)s.") % {"error": error})
            return cleaned
        sent = {name: cleaned[name] for name in ("id", "source", "subject", "type")}
        checker = EventChecker(limits=limits(backfill=True), now=clock.now(), specversion_required=False)
        self.replacement = checker.read(0, sent | {"time": cleaned["time"] or None, "data": data})
        for problem in checker.problems:
            field, _dot, path = problem.field.partition(".")
            self.add_error("event_data" if field == "data" else field, f"{path}: {problem.message}".removeprefix(": "))
        return cleaned


def replace_event_page(model_admin: Any, request: HttpRequest, ref: str) -> HttpResponse:
    """
    Show the form with the event of this name; show what the replacement changes; then replace it, and go back to where it began.

    `?by=` names a quarantined event whose content the form begins with.

    :raises Http404: if there is no such event
    """
    event = event_or_404(ref)
    waiting = _waiting(request, event)
    back = (
        reverse("admin:usage_quarantinedevent_change", args=[waiting.pk]) if waiting else reverse("admin:usage_event_changelist")
    )
    step = request.POST.get("step", "")
    form = ReplacementForm(request.POST if step else None, initial=_suggested(event, Content.of(waiting or event)))
    page = partial(ask, model_admin, request, "admin/usage/replace_event.html", title=_("Replace event"), form=form, back=back)
    if form.is_valid() and form.replacement and step in ("preview", "replace"):
        correct = partial(_replace, request, event, form.replacement, form.cleaned_data["reason"])
        try:
            if step == "replace":
                correct()
                named = {"old": event.event_id, "new": form.replacement.event_id}
                messages.success(request, _("The event %(old)s is replaced by %(new)s.") % named)
                return redirect(back)
            effects = preview(event, correct).effects
        except CorrectionError as refusal:
            form.add_error(_FIELDS.get(refusal.code), str(refusal))
        else:
            rows = side_by_side(Content.of(event), _content(form.replacement, event))
            question = _("The first event will not count any more; the second counts in its place. This cannot be taken back.")
            return page(question=question, is_preview=True, rows=rows, **shown_effects(effects))
    named = {"id": event.event_id, "source": event.source}
    return page(question=_("What should have been sent in the place of the event %(id)s of %(source)s?") % named)


def _replace(request: HttpRequest, event: StoredEvent, replacement: IncomingEvent, reason: str) -> Corrected:
    return replace_event(
        source=event.source,
        event_id=event.event_id,
        replacement=replacement,
        reason=reason,
        actor=actor_of(request),
        now=clock.now(),
    )


def _waiting(request: HttpRequest, event: StoredEvent) -> Any:
    """Return the quarantined event that the form begins with: one of the same source and id."""
    row_id = request.GET.get("by", "")
    if not (row_id.isascii() and row_id.isdigit() and len(row_id) < 19):
        return None
    rows = with_exact_data(QuarantinedEvent.objects.filter(pk=row_id, source=event.source, event_id=event.event_id))
    return rows.first()


def _suggested(event: StoredEvent, content: Content) -> dict[str, str]:
    """Return what the form begins with: all that the event says, under an id that is likely to be free."""
    ending = "-corrected"
    return {
        "id": event.event_id[: LONGEST_TEXT - len(ending)] + ending,
        "source": content.source,
        "subject": content.subject,
        "type": content.event_type,
        "time": instant(content.occurred_at),
        "event_data": indented(content.data),
    }


def _content(replacement: IncomingEvent, event: StoredEvent) -> Content:
    at = replacement.occurred_at or event.occurred_at
    return Content(
        replacement.source, replacement.event_id, replacement.subject, replacement.event_type, at, replacement.data_json
    )
