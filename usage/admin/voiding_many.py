"""The pages that void all events of a source or subject in a time range: a form, then what matches, then the doing."""

from datetime import time
from functools import partial
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from squill.lib import clock
from squill.web.admin_pages import actor_of
from usage.admin.asking import ReasonForm, ask, number
from usage.corrections import CorrectionError, bulk
from usage.ingestion.checking import LONGEST_TEXT

_FIELDS: Final = {"bad_reason": "reason"}
_MIDNIGHT: Final = (None, time())  # no day yet


class SelectionForm(ReasonForm):
    """Which events to void, and why."""

    source = forms.CharField(
        label=gettext_lazy("Source"), max_length=LONGEST_TEXT, strip=False, required=False, widget=UnfoldAdminTextInputWidget
    )
    subject = forms.CharField(
        label=gettext_lazy("Subject"),
        max_length=LONGEST_TEXT,
        strip=False,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("A source, a subject, or both, each as it was sent."),
    )
    start = forms.SplitDateTimeField(
        label=gettext_lazy("From"),
        initial=_MIDNIGHT,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=gettext_lazy("In UTC. Events at this instant or after it."),
    )
    end = forms.SplitDateTimeField(
        label=gettext_lazy("Until"),
        initial=_MIDNIGHT,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=gettext_lazy("In UTC. Events before this instant."),
    )
    # What stands for the events that were shown; made by the dry run.
    token = forms.CharField(required=False, widget=forms.HiddenInput)
    field_order = ("source", "subject", "start", "end", "reason")

    def selection(self) -> bulk.Selection:
        """Return what is asked for, once the form is valid."""
        asked = self.cleaned_data
        return bulk.Selection(
            start=asked["start"], end=asked["end"], source=asked["source"] or None, subject=asked["subject"] or None
        )


def void_many_page(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """
    Show the form; show what matches; then void exactly that, and go back to the list.

    What one request cannot void is left, and said; the next press of the button goes on.
    """
    events = reverse("admin:usage_event_changelist")
    step = request.POST.get("step", "")
    form = SelectionForm(request.POST if step else None)
    page = partial(ask, model_admin, request, "admin/usage/void_many.html", title=_("Void many events"), form=form, back=events)
    if form.is_valid() and step in ("look", "void"):
        try:
            if step == "look":
                selected = bulk.select(form.selection())
                if selected.event_count:
                    return page(**_shown(selected))
                form.add_error(None, _("No event that still counts matches."))
            else:
                voided = _void(request, form)
                if voided.left:
                    return page(is_preview=True, voided=voided, token=form.cleaned_data["token"], left=number(voided.left))
                return redirect(events)
        except CorrectionError as refusal:
            form.add_error(_FIELDS.get(refusal.code), str(refusal))
    question = _("Which events were sent by mistake? The next page says what matches; nothing is voided before you have seen it.")
    return page(question=question)


def _void(request: HttpRequest, form: SelectionForm) -> bulk.Voided:
    """Void what was shown, as much of it as one request can; say how much."""
    token, reason = form.cleaned_data["token"], form.cleaned_data["reason"]
    voided = bulk.void_selected(form.selection(), token=token, reason=reason, actor=actor_of(request), now=clock.now())
    count = voided.event_count
    told = ngettext("%(count)s event is voided.", "%(count)s events are voided.", count) % {"count": number(count)}
    messages.success(request, told)
    return voided


def _shown(selected: bulk.Selected) -> dict[str, Any]:
    count = selected.event_count
    question = ngettext(
        "%(count)s event will not count any more. It stays readable, and this cannot be taken back.",
        "%(count)s events will not count any more. They stay readable, and this cannot be taken back.",
        count,
    )
    meters = [(each.meter, number(each.event_count), number(each.value_sum)) for each in selected.meters]
    button = ngettext("Void %(count)s event", "Void %(count)s events", count)
    return {
        "question": question % {"count": number(count)},
        "button": button % {"count": number(count)},
        "is_preview": True,
        "meters": meters,
        "token": selected.token,
    }
