"""What a version of a plan would have cost for usage that is past, beside what it did cost. Reads; writes nothing."""

from datetime import date, timedelta
from itertools import islice
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSingleDateWidget

from billing.admin.plan_moves import rerated_words
from billing.admin.shown import money, today
from billing.models import PlanVersion
from billing.rating.rerating import ReratedPeriod, UnableToRerate, rerate

# More than a person looks through; the command has no such bound.
MOST_PERIODS: Final = 200


class SpanForm(forms.Form):
    """Which periods."""

    first_day = forms.DateField(label=gettext_lazy("From"), widget=UnfoldAdminSingleDateWidget)
    end_day = forms.DateField(
        label=gettext_lazy("Until"),
        widget=UnfoldAdminSingleDateWidget,
        help_text=gettext_lazy("This day not included. Periods that lie within these days as a whole are rated."),
    )


def past_usage_page(model_admin: Any, request: HttpRequest, version: PlanVersion) -> HttpResponse:
    """Show the billing periods of the plan within some days, by their own prices and by the version's."""
    asked = "first_day" in request.GET
    end = today().replace(day=1)
    initial = {"first_day": (end - timedelta(days=1)).replace(day=1), "end_day": end}
    form = SpanForm(request.GET if asked else None, initial=initial)
    context = model_admin.admin_site.each_context(request) | {
        "title": _("Price past usage"),
        "form": form,
        "version": version,
        "opts": model_admin.opts,
        "original": version,
        "back": reverse("admin:billing_planversion_change", args=[version.pk]),
        "media": model_admin.media + form.media,
    }
    if asked and form.is_valid():
        context |= _rated(version, form)
    return TemplateResponse(request, "admin/billing/past_usage.html", context)


def _rated(version: PlanVersion, form: SpanForm) -> dict[str, Any]:
    first_day: date = form.cleaned_data["first_day"]
    try:
        found = list(
            islice(rerate(version_id=version.pk, first_day=first_day, end_day=form.cleaned_data["end_day"]), MOST_PERIODS + 1)
        )
    except UnableToRerate as refusal:
        form.add_error(None, refusal.message)
        return {}
    periods = found[:MOST_PERIODS]
    return {
        "rows": [{"customer": period.customer, "version": period.version, **rerated_words(period)} for period in periods],
        "is_rated": True,
        "is_cut": len(found) > MOST_PERIODS,
        "total": _total(version, periods),
    }


def _total(version: PlanVersion, periods: list[ReratedPeriod]) -> dict[str, str]:
    """Add up the periods that have both amounts."""
    both = [period for period in periods if period.difference_minor is not None]
    own, other = sum(period.own_minor or 0 for period in both), sum(period.other_minor or 0 for period in both)
    sign = "+" if other > own else ""
    return {
        "own": money(own, version.currency),
        "other": money(other, version.currency),
        "difference": sign + money(other - own, version.currency),
    }
