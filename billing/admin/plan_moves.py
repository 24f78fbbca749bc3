"""Move the subscriptions of a plan to the version that is sold now: who would go over, what it means for each, and the move."""

from itertools import islice
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from billing.admin.shown import day, days, money
from billing.invoicing.moving import MovePreview, movable_subscriptions, move_subscriptions, preview_moves
from billing.models import Plan
from billing.rating.rerating import ReratedPeriod
from billing.subscriptions.changing import When
from squill.lib import clock
from squill.web.admin_pages import actor_of

# More than a person looks through, and than a request has time for; the command has no such bound.
MOST_MOVED: Final = 200
_REASONS_SHOWN: Final = 5


class MoveForm(forms.Form):
    """When they go over."""

    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=(("period_end", gettext_lazy("Each at the end of its running period")), ("now", gettext_lazy("Today"))),
        widget=UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Today: the running period is cut, and fees are prorated on both sides."),
    )


def move_page(model_admin: Any, request: HttpRequest, plan: Plan) -> HttpResponse:
    """
    Ask when; show each subscription with its last billed period by both prices; then move exactly those.

    One that is refused stays as it is, and is said.
    """
    now = clock.now()
    form = MoveForm(request.POST if request.method == "POST" else None)
    step = request.POST.get("step", "look")
    count = movable_subscriptions(plan.code, now=now).count()
    rows: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid() and step in ("look", "do") and count <= MOST_MOVED:
        when: When = now if form.cleaned_data["when"] == "now" else "period_end"
        if step == "do":
            _move(request, plan, when)
            return redirect("admin:billing_plan_change", plan.pk)
        rows = [_row(preview) for preview in islice(preview_moves(plan.code, when=when, now=now), MOST_MOVED)]
    context = model_admin.admin_site.each_context(request) | {
        "title": _("Move to the newest version"),
        "question": _question(plan, count),
        "form": form,
        "rows": rows,
        "is_preview": bool(rows),
        "can_move": 0 < count <= MOST_MOVED,
        "opts": model_admin.opts,
        "original": plan,
        "back": reverse("admin:billing_plan_change", args=[plan.pk]),
        "media": model_admin.media + form.media,
    }
    return TemplateResponse(request, "admin/billing/move.html", context)


def _question(plan: Plan, count: int) -> str:
    if not count:
        return _("Every subscription on %(plan)s has the newest version that is sold to its customer.") % {"plan": plan}
    if count > MOST_MOVED:
        message = _(
            "%(count)d subscriptions could be moved, which is more than this page does: manage.py move_subscriptions does."
        )
        return message % {"count": count}
    asked = ngettext(
        "%(count)d subscription on %(plan)s has an older version than the one that is sold. When does it go over?",
        "%(count)d subscriptions on %(plan)s have an older version than the one that is sold. When do they go over?",
        count,
    )
    return asked % {"count": count, "plan": plan}


def _move(request: HttpRequest, plan: Plan, when: When) -> None:
    """Move those that were shown, and say what became of them."""
    shown = set(request.POST.getlist("only"))
    report = move_subscriptions(plan.code, when=when, actor=actor_of(request), now=clock.now(), only=shown)
    moved = len(report.moved)
    messages.success(
        request, ngettext("%(count)d subscription is moved.", "%(count)d subscriptions are moved.", moved) % {"count": moved}
    )
    for move in report.refused[:_REASONS_SHOWN]:
        reason = move.refusal.message if move.refusal else ""
        messages.warning(request, _("%(subscription)s stays: %(reason)s") % {"subscription": move.subscription, "reason": reason})


def _row(preview: MovePreview) -> dict[str, Any]:
    move, period = preview.move, preview.last_period
    return {
        "subscription": move.subscription,
        "customer": move.customer,
        "versions": f"{move.from_version} → {move.to_version}",
        "day": day(move.effective_on) if move.effective_on else "",
        "refusal": move.refusal.message if move.refusal else "",
        **rerated_words(period),
    }


def rerated_words(period: ReratedPeriod | None) -> dict[str, Any]:
    """Write a period by both prices: its days, the two amounts, the difference, or why there is none."""
    if period is None:
        return {"span": "", "note": _("no full period is billed yet")}
    difference = period.difference_minor
    if difference is None or period.own_minor is None or period.other_minor is None:
        return {"span": _span(period), "note": period.error}
    return {
        "span": _span(period),
        "own": money(period.own_minor, period.currency),
        "other": money(period.other_minor, period.currency),
        "difference": ("+" if difference > 0 else "") + money(difference, period.currency),
        "is_more": difference > 0,
        "is_less": difference < 0,
        "note": "; ".join(_("%(meter)s has no price") % {"meter": usage.meter} for usage in period.unpriced),
    }


def _span(period: ReratedPeriod) -> str:
    return days(period.first_day, period.end_day.fromordinal(period.end_day.toordinal() - 1))
