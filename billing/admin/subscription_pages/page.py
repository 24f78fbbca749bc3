"""A subscription as the finance desk shows it: how it stands, what it has, what is planned, who decided what."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.shown import day, locale, moment, money
from billing.admin.version_page import charge_words
from billing.catalog.plans import version_for
from billing.catalog.specs import plan_spec
from billing.invoicing.composing import ComposedInvoice
from billing.invoicing.preview import upcoming_invoice
from billing.models import PlanVersion, SubscriptionChange
from billing.subscriptions.standing import ChangeState, Standing, State, told
from squill.lib.decimals import plain
from squill.lib.refusal import Refused
from squill.web import formatting

PARKED: Final = "parked"
STATE_COLORS: Final = {
    State.PLANNED.value: "info",
    State.TRIAL.value: "info",
    State.ACTIVE.value: "success",
    State.PAUSED.value: "warning",
    State.ENDED.value: "",
    PARKED: "danger",
}
CHANGE_COLORS: Final = {ChangeState.PLANNED: "info", ChangeState.UNDONE: "", ChangeState.WITHOUT_EFFECT: "warning"}
_Kind = SubscriptionChange.Kind
_NAMES: Final = {_Kind.PAUSE: gettext_lazy("Pause"), _Kind.RESUME: gettext_lazy("Resumption"), _Kind.END: gettext_lazy("End")}


def shown_state(standing: Standing, *, is_parked: bool) -> tuple[str, str]:
    """Return the state as the desk tells it, with its word: a subscription that waits for a person is parked before all."""
    if is_parked and standing.state != State.ENDED:
        return PARKED, _("parked")
    return standing.state.value, str(standing.state.label)


def _upcoming(standing: Standing, now: datetime) -> tuple[ComposedInvoice | None, str]:
    """Return what the running period would cost, or what is missing to say it."""
    if not standing.is_active:
        return None, ""
    try:
        return upcoming_invoice(standing.subscription, now=now), ""
    except Refused as refusal:
        return None, str(refusal)


def subscription_page(standing: Standing, *, is_parked: bool, now: datetime, may_act: bool) -> dict[str, Any]:
    """Return the page of a subscription that was read with its changes. About fifteen queries."""
    subscription = standing.subscription
    state, label = shown_state(standing, is_parked=is_parked)
    upcoming, missing = _upcoming(standing, now)
    newest = version_for(standing.version.plan, subscription.customer)
    return {
        "subscription": subscription,
        "state": label,
        "state_color": STATE_COLORS[state],
        "state_note": _state_note(standing),
        "version": standing.version,
        "cadence": standing.version.cadence_words,
        "newer": newest if newest is not None and newest.version > standing.version.version else None,
        "started": day(subscription.started_on),
        "ends": day(subscription.ended_on) if subscription.ended_on else "",
        "spend": money(upcoming.totals.net_minor, upcoming.totals.currency) if upcoming else "–",
        "missing": missing,
        "has_unpriced": upcoming is not None and bool(upcoming.rated.unpriced),
        "charges": _charges(standing),
        "add_ons": [
            {
                "name": add_on.version.plan.name,
                "code": add_on.code,
                "quantity": formatting.format_decimal(add_on.quantity, locale()),
                "words": _words_of(add_on.version),
                "is_once": add_on.version.interval == PlanVersion.Interval.ONCE,
            }
            for add_on in standing.add_ons
        ],
        "changes": _changes(standing),
        "may_act": may_act and standing.state != State.ENDED,
    }


def change_words(change: SubscriptionChange, standing: Standing) -> str:
    """Say what was decided."""
    version = change.plan_version
    if change.kind == _Kind.START:
        words = _("Start on %(version)s") % {"version": version}
        if change.trial_ends_on is not None:
            words += _(", trial until %(day)s") % {"day": day(change.trial_ends_on - timedelta(days=1))}
        return words
    if change.kind == _Kind.PLAN:
        return _("Plan becomes %(version)s") % {"version": version}
    if change.kind == _Kind.QUANTITY:
        names = _names_of_charges(standing)
        values = {"what": names.get(change.charge_code, change.charge_code), "quantity": plain(change.quantity or Decimal(0))}
        return _("%(what)s: %(quantity)s") % values
    if change.kind == _Kind.ADD_ON and version is not None:
        if not change.quantity:
            return _("Add-on %(name)s comes off") % {"name": version.plan}
        return _("Add-on %(name)s: %(quantity)s") % {"name": version.plan, "quantity": plain(change.quantity)}
    return str(_NAMES[_Kind(change.kind)])


def _names_of_charges(standing: Standing) -> dict[str, str]:
    """Return how the charges of all versions that it is or will be on are called, by code. No query."""
    versions = [change.plan_version for change in standing.subscription.changes.all() if change.plan_version is not None]
    return {charge.code: charge.name for version in versions for charge in version.charges.all()}


def _state_note(standing: Standing) -> str:
    if standing.state == State.TRIAL and standing.trial_ends_on is not None:
        return _("nothing is charged until %(day)s") % {"day": day(standing.trial_ends_on - timedelta(days=1))}
    if standing.state == State.PAUSED:
        return _("nothing is charged, usage is counted")
    if standing.state == State.PLANNED:
        return _("begins %(day)s") % {"day": day(standing.subscription.started_on)}
    return ""


def _charges(standing: Standing) -> list[dict[str, Any]]:
    spec = plan_spec(standing.version)
    return [
        {
            "name": charge.name,
            "code": charge.code,
            "words": charge_words(charge, spec.currency),
            "held": formatting.format_decimal(standing.quantities[charge.code], locale())
            if charge.code in standing.quantities
            else "",
        }
        for charge in spec.charges
    ]


def _words_of(version: PlanVersion) -> list[str]:
    spec = plan_spec(version)
    return [words for charge in spec.charges for words in charge_words(charge, spec.currency)]


def _changes(standing: Standing) -> list[dict[str, Any]]:
    """Return all that was decided, what comes first at the end of the list; those whose day lies ahead can be undone."""
    subscription = standing.subscription
    changes = sorted(subscription.changes.all(), key=lambda change: (change.effective_on, change.pk), reverse=True)
    rows = []
    for change in changes:
        state = told(change, today=standing.today, ended_on=subscription.ended_on).state
        is_ahead = state in (ChangeState.PLANNED, ChangeState.WITHOUT_EFFECT) and change.effective_on > standing.today
        undo = reverse("admin:billing_subscription_undo", args=[subscription.pk, change.pk])
        rows.append(
            {
                "words": change_words(change, standing),
                "day": day(change.effective_on),
                "who": change.actor_label,
                "at": moment(change.recorded_at),
                "state": state.label,
                "color": CHANGE_COLORS.get(state, "success"),
                "is_planned": state == ChangeState.PLANNED,
                "undo_url": undo if is_ahead and change.kind != _Kind.START else "",
            }
        )
    return rows
