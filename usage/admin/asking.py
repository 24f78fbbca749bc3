"""The pages between wanting to correct usage and doing it: they say what will change, and ask why."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import get_language, gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from squill.web import formatting
from usage.corrections.correcting import LONGEST_REASON
from usage.corrections.previewing import Effects


class ReasonForm(forms.Form):
    """Why a person corrects usage."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("Kept for ever, with your name and the time."),
    )


def ask(
    model_admin: Any, request: HttpRequest, template: str, *, title: str, form: forms.Form, back: str, **shown: Any
) -> TemplateResponse:
    """Return the page of a form; the template extends admin/ask.html and shows `shown`, and `back` is where its link leads."""
    context = model_admin.admin_site.each_context(request) | {
        "title": title,
        "form": form,
        "back": back,
        "opts": model_admin.model._meta,
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, template, context | shown)


def number(value: Decimal | int) -> str:
    """Write a quantity as people of the page's language read it."""
    return formatting.format_decimal(Decimal(value), _locale())


def shown_effects(effects: Effects) -> dict[str, Any]:
    """Return what a correction changes as texts: `changes` in usage, `adjustments` in periods that are billed already."""
    changes = [
        {
            "meter": change.meter,
            "day": formatting.format_date(change.day, _locale()),
            "dimensions": ", ".join(f"{name}: {value or '–'}" for name, value in change.dimensions.items()),
            "before": f"{number(change.before)} {change.unit}",
            "after": f"{number(change.after)} {change.unit}",
        }
        for change in effects.changes
    ]
    return {"changes": changes, "adjustments": [_adjustment(row) for row in effects.adjustments]}


def _adjustment(row: dict[str, Any]) -> dict[str, str]:
    first, end = date.fromisoformat(row["first_day"]), date.fromisoformat(row["end_day"])
    amounts = {
        name: formatting.format_unit_price(Decimal(row[name]), row["currency"], _locale())
        for name in ("before", "after", "difference")
    }
    period = formatting.format_date_range(first, end - timedelta(days=1), _locale())
    return {"subscription": row["subscription"], "charge": row["charge"], "period": period} | amounts


def _locale() -> str:
    return get_language() or "en"
