"""The page that puts another meter in the place of one whose meaning is fixed."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from squill.lib import clock
from squill.web.admin_pages import actor_of
from usage.admin.asking import ask
from usage.models import Meter
from usage.services import MeterError, succeed_meter


def succeed_page(model_admin: Any, request: HttpRequest, earlier: Meter) -> HttpResponse:
    """Show the meter's fields with a code to be written; make its successor of what is sent, and go to that one's page."""
    form_class = model_admin.get_form(request)
    fields = {field: getattr(earlier, field) for field in form_class.base_fields}
    form = form_class(request.POST if request.method == "POST" else None, initial=fields | {"code": ""})
    if form.is_valid():
        changes = dict(form.cleaned_data)
        code = changes.pop("code")
        try:
            meter = succeed_meter(meter_id=earlier.pk, code=code, changes=changes, actor=actor_of(request), now=clock.now())
        except MeterError as refusal:
            for field, message in refusal.errors.items():
                form.add_error(field if field in form.fields else None, message)
        else:
            messages.success(request, _("%(new)s succeeds %(old)s.") % {"new": meter.code, "old": earlier.code})
            return redirect("admin:usage_meter_change", meter.pk)
    return ask(
        model_admin,
        request,
        "admin/ask.html",
        title=_("Succeed"),
        question=_(
            "A meter with a code of its own takes the place of %(code)s, and counts the past as any new meter does. %(code)s "
            "keeps its meaning and goes on counting for the plans that price it; price the successor in a new plan version."
        )
        % {"code": earlier.code},
        form=form,
        back=reverse("admin:usage_meter_change", args=[earlier.pk]),
    )
