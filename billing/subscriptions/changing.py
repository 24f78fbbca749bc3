"""
Change a subscription: plan, quantities, add-ons, pause, end. Every refusal leaves nothing behind.

Each change is a row that holds from a local day on; periods and claims are made to follow. What it means for money that is
billed already is found by rating, as a difference (ADR 0007, ADR 0019).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from billing.locks import lock_subscription
from billing.models import Plan, PlanVersion, Subscription, SubscriptionChange
from billing.pricing.period import local_midnight
from billing.subscriptions.claims import write_claims
from billing.subscriptions.periods import PeriodBilled, load_timeline, refit_periods
from billing.subscriptions.refusals import SubscriptionError, local_day
from billing.subscriptions.services import check_charge, checked_quantity, facts, sellable_version
from billing.subscriptions.timeline import Segment, Timeline, TimelineError, add_on_stretches, days_of_period
from customers.audit import record
from squill.lib.actor import Actor

# From the local day that contains an instant on, or from the end of the period that is running.
type When = datetime | Literal["period_end"]
_Kind = SubscriptionChange.Kind
_MOVES_PERIODS = frozenset({_Kind.PLAN, _Kind.PAUSE, _Kind.RESUME, _Kind.END})


@dataclass(frozen=True, slots=True)
class _Open:
    """A subscription that is locked and goes on, with what was decided about it."""

    subscription: Subscription
    timeline: Timeline
    today: date
    now: datetime

    def segment_on(self, day: date, field: str) -> Segment:
        """
        Return what it is on at a day.

        :raises SubscriptionError: not_running
        """
        segment = self.timeline.segment_on(day)
        if segment is None:
            message = _("it does not run on %(day)s: it begins on %(start)s and ends on %(end)s")
            values = {"day": day, "start": self.timeline.started_on, "end": self.timeline.ended_on or _("no day yet")}
            raise SubscriptionError(message % values, field=field, code="not_running")
        return segment

    def day_of(self, when: When, field: str = "when") -> date:
        """
        Return the first local day that a change holds for.

        :raises SubscriptionError: out_of_range, or not_running
        """
        if isinstance(when, datetime):
            return local_day(when, ZoneInfo(self.subscription.customer.timezone), field)
        day = max(self.today, self.timeline.started_on)
        return days_of_period(self.segment_on(day, field), day)[0]


@transaction.atomic
def change_plan(
    *,
    subscription_id: int,
    plan_code: str,
    when: When,
    actor: Actor,
    now: datetime,
    quantities: Mapping[str, Decimal] | None = None,
) -> Subscription:
    """
    Put a subscription on the version of a plan that is sold to its customer now: another plan, or a newer version of its own.

    The period that the day lies within ends there; fees are prorated on both sides by whole days, and usage is priced by the
    version of its day. Quantities of charges that both have go on. Nothing happens if it is on that version already. Locks
    the subscription.

    :raises SubscriptionError: as start_subscription for the plan; not_found, ended_already, not_running, period_billed,
        add_on_does_not_fit, overlaps, meter_taken, quantity_unusable, or charge_not_found
    """
    opened = _open(subscription_id, now)
    day = opened.day_of(when)
    opened.segment_on(day, "when")
    version = sellable_version(plan_code, opened.subscription.customer, kind=Plan.Kind.PLAN)
    for charge_code, quantity in (quantities or {}).items():
        check_charge(version, charge_code, f"quantities.{charge_code}")
        checked_quantity(quantity, f"quantities.{charge_code}")
    changes = [_decided(opened, _Kind.PLAN, day, actor, plan_version=version)]
    for charge_code, quantity in (quantities or {}).items():
        changes.append(_decided(opened, _Kind.QUANTITY, day, actor, charge_code=charge_code, quantity=quantity))
    return _apply(opened, changes, actor)


@transaction.atomic
def change_quantity(
    *, subscription_id: int, charge_code: str, quantity: Decimal, when: When, actor: Actor, now: datetime
) -> Subscription:
    """
    Set how many of a fee by quantity (seats) a subscription has from a day on.

    The fee is prorated by whole days; what it changes of fees that are billed comes on the next invoice. The day may lie in
    the past. Locks the subscription.

    :raises SubscriptionError: not_found, ended_already, not_running, charge_not_found, or quantity_unusable
    """
    opened = _open(subscription_id, now)
    day = opened.day_of(when)
    version = opened.segment_on(day, "when").version
    check_charge(version, charge_code, "charge")
    checked_quantity(quantity, "quantity")
    return _apply(opened, [_decided(opened, _Kind.QUANTITY, day, actor, charge_code=charge_code, quantity=quantity)], actor)


@transaction.atomic
def put_add_on(
    *,
    subscription_id: int,
    plan_code: str,
    quantity: Decimal,
    when: When,
    actor: Actor,
    now: datetime,
    code: str = "",
) -> Subscription:
    """
    Put an add-on on a subscription, or set how many it has of it from a day on; 0 takes it off.

    `code` names it within the subscription: the add-on's own code if empty, so that each is there once; another name puts the
    same add-on on again, which is how one that is charged once is bought twice. Locks the subscription.

    :raises SubscriptionError: as sellable_version; not_found, ended_already, not_running, quantity_unusable, code_unusable,
        add_on_does_not_fit (its interval is not the plan's), or charged_once (it is there already)
    """
    opened = _open(subscription_id, now)
    day = opened.day_of(when)
    opened.segment_on(day, "when")
    checked_quantity(quantity, "quantity")
    code = code or plan_code
    if len(code) > 100 or not code.isprintable() or code != code.strip() or code.startswith(":"):
        message = _("write at most 100 printable characters, with no space at the ends and no colon first")
        raise SubscriptionError(message, field="code", code="code_unusable")
    # Asked of the rows: what was decided for a day after the end is not in the timeline, and is there again if that is undone.
    rows = SubscriptionChange.objects.filter(subscription=opened.subscription, add_on_code=code, undone_at=None)
    known = rows.select_related("plan_version__plan").order_by("pk").first()
    if known is None or known.plan_version is None:
        version = sellable_version(plan_code, opened.subscription.customer, kind=Plan.Kind.ADD_ON)
    else:
        version = known.plan_version
        _check_known(version, plan_code, code)
    change = _decided(opened, _Kind.ADD_ON, day, actor, plan_version=version, add_on_code=code, quantity=quantity)
    return _apply(opened, [change], actor)


def _check_known(version: PlanVersion, plan_code: str, code: str) -> None:
    if version.plan.code != plan_code:
        message = _("%(code)s is add-on %(plan)s of this subscription: choose another name for it")
        raise SubscriptionError(message % {"code": code, "plan": version.plan.code}, field="code", code="code_unusable")
    if version.interval == PlanVersion.Interval.ONCE:
        message = _("%(code)s is there already and is charged once: give another one a name of its own in “code”")
        raise SubscriptionError(message % {"code": code}, field="code", code="charged_once")


@transaction.atomic
def pause_subscription(*, subscription_id: int, when: When, actor: Actor, now: datetime) -> Subscription:
    """
    Pause a subscription from a day on: no fees, and usage is not priced, but reported. Locks the subscription.

    Fees that are billed for days of the pause come back on the next invoice.

    :raises SubscriptionError: not_found, ended_already, not_running, period_billed, or does_not_fit (it is paused then)
    """
    opened = _open(subscription_id, now)
    day = opened.day_of(when)
    opened.segment_on(day, "when")
    return _apply(opened, [_decided(opened, _Kind.PAUSE, day, actor)], actor)


@transaction.atomic
def resume_subscription(*, subscription_id: int, when: When, actor: Actor, now: datetime) -> Subscription:
    """
    Resume a paused subscription from a day on, in the periods that it would have had. Locks the subscription.

    :raises SubscriptionError: not_found, ended_already, not_running, period_billed, meter_taken, or does_not_fit
    """
    opened = _open(subscription_id, now)
    day = opened.day_of(when)
    opened.segment_on(day, "when")
    return _apply(opened, [_decided(opened, _Kind.RESUME, day, actor)], actor)


@transaction.atomic
def end_subscription(*, subscription_id: int, ends_at: When, actor: Actor, now: datetime) -> Subscription:
    """
    End a subscription at the beginning of the local day that contains `ends_at`; that day is no longer part of it.

    Periods after it go, the one that contains it is cut short; a fee that was billed in advance for longer comes back as
    an adjustment on the last invoice. What was decided for later days has no effect. Locks the subscription.

    :raises SubscriptionError: not_found, ended_already, ends_before_start, ends_later (than it does already), out_of_range,
        not_running, or period_billed (the day lies in or before a period whose usage is on an invoice)
    """
    opened = _open(subscription_id, now)
    subscription = opened.subscription
    day = opened.day_of(ends_at, "ends_at")
    if day <= subscription.started_on:
        raise SubscriptionError(_("it must end at least a day after it starts"), field="ends_at", code="ends_before_start")
    if subscription.ended_on is not None and day > subscription.ended_on:
        # Its last period is cut already, and may be billed as such.
        message = _(
            "it ends on %(day)s already, which can only be moved forward: undo that end, or start another subscription from "
            "that day on"
        )
        raise SubscriptionError(message % {"day": subscription.ended_on}, field="ends_at", code="ends_later")
    if day == subscription.ended_on:
        return subscription
    SubscriptionChange.objects.filter(subscription=subscription, kind=_Kind.END, undone_at=None).update(undone_at=now)
    return _apply(opened, [_decided(opened, _Kind.END, day, actor)], actor)


@transaction.atomic
def undo_change(*, subscription_id: int, change_id: int, actor: Actor, now: datetime) -> Subscription:
    """
    Undo a change that has not taken effect: the subscription goes on as if it had not been decided. Locks the subscription.

    :raises SubscriptionError: not_found, change_not_found, in_effect (its day has come), period_billed, does_not_fit (a later
        change needs it), overlaps, or meter_taken
    """
    opened = _open(subscription_id, now)
    change = SubscriptionChange.objects.filter(subscription=opened.subscription, pk=change_id, undone_at=None).first()
    if change is None or change.kind == _Kind.START:
        raise SubscriptionError(_("there is no such change that could be undone"), field="change", code="change_not_found")
    if change.effective_on <= opened.today:
        message = _("it holds since %(day)s: what has taken effect cannot be undone, but changed again")
        raise SubscriptionError(message % {"day": change.effective_on}, field="change", code="in_effect")
    change.undone_at = now
    change.save(update_fields=["undone_at"])
    return _follow(opened, change.effective_on, actor, "subscription.change_undone", [change])


def _open(subscription_id: int, now: datetime) -> _Open:
    subscription = lock_subscription(subscription_id)
    if subscription is None:
        raise SubscriptionError(_("there is no such subscription"), field="subscription", code="not_found")
    if subscription.ends_at is not None and subscription.ends_at <= now:
        raise SubscriptionError(_("it has ended already"), field="ends_at", code="ended_already")
    today = now.astimezone(ZoneInfo(subscription.customer.timezone)).date()
    return _Open(subscription, load_timeline(subscription), today, now)


def _decided(opened: _Open, kind: SubscriptionChange.Kind, on: date, actor: Actor, **columns: Any) -> SubscriptionChange:
    return SubscriptionChange(
        subscription=opened.subscription,
        kind=kind,
        effective_on=on,
        actor_kind=actor.kind,
        actor_label=actor.label,
        recorded_at=opened.now,
        **columns,
    )


def _apply(opened: _Open, changes: list[SubscriptionChange], actor: Actor) -> Subscription:
    """Write changes and make everything follow; those that would change nothing are not written."""
    changes = [change for change in changes if not _is_so_already(opened, change)]
    if not changes:
        return opened.subscription
    SubscriptionChange.objects.bulk_create(changes)
    names = {_Kind.END: "ended", _Kind.PLAN: "plan_changed", _Kind.PAUSE: "paused", _Kind.RESUME: "resumed"}
    action = f"subscription.{names.get(_Kind(changes[0].kind), 'quantity_changed')}"
    return _follow(opened, changes[0].effective_on, actor, action, changes)


def _is_so_already(opened: _Open, change: SubscriptionChange) -> bool:
    """Say whether the change changes nothing: it is so at its day, and what is decided for later days holds anyway."""
    timeline, day = opened.timeline, change.effective_on
    if change.kind == _Kind.PLAN:
        segment = timeline.segment_on(day)
        return segment is not None and segment.version == change.plan_version
    if change.kind == _Kind.QUANTITY:
        return _held(timeline.quantities.get(change.charge_code, ()), day) == change.quantity  # a default may change: is none
    if change.kind == _Kind.ADD_ON:
        steps = next((add_on.steps for add_on in timeline.add_ons if add_on.code == change.add_on_code), ())
        return (_held(steps, day) or Decimal(0)) == change.quantity
    if change.kind in (_Kind.PAUSE, _Kind.RESUME):
        live = SubscriptionChange.objects.filter(subscription=opened.subscription, undone_at=None, effective_on=day)
        last = live.filter(kind__in=(_Kind.PAUSE, _Kind.RESUME)).order_by("-pk").first()
        return last is not None and last.kind == change.kind
    return False


def _held(steps: tuple[tuple[date, Decimal], ...], day: date) -> Decimal | None:
    return next((quantity for first_day, quantity in reversed(steps) if first_day <= day), None)


def _follow(opened: _Open, from_day: date, actor: Actor, action: str, changes: list[SubscriptionChange]) -> Subscription:
    """Make end, claims and periods follow what is decided now, and record it."""
    subscription = opened.subscription
    before, dropped = facts(subscription), 0
    try:
        timeline = load_timeline(subscription)
        _check_add_ons(timeline)
        if timeline.ended_on != subscription.ended_on:
            zone = ZoneInfo(subscription.customer.timezone)
            subscription.ended_on = timeline.ended_on
            subscription.ends_at = local_midnight(timeline.ended_on, zone) if timeline.ended_on else None
            subscription.save(update_fields=["ended_on", "ends_at"])
        write_claims(subscription, timeline)
        if any(change.kind in _MOVES_PERIODS for change in changes):
            dropped = refit_periods(subscription, timeline, from_day=from_day, now=opened.now)
    except TimelineError as error:
        raise SubscriptionError(str(error), field="when", code="does_not_fit") from None
    except PeriodBilled as error:
        field = "ends_at" if changes[0].kind == _Kind.END else "when"
        raise SubscriptionError(str(error), field=field, code="period_billed") from None
    record(
        action=action,
        object_type="subscription",
        object_id=subscription.external_id,
        customer_id=subscription.customer_id,
        actor=actor,
        now=opened.now,
        before=before,
        after=facts(subscription)
        | {"changes": [_said(change) for change in changes]}
        | ({"drafts_dropped": dropped} if dropped else {}),
    )
    return subscription


def _check_add_ons(timeline: Timeline) -> None:
    """Refuse an add-on that is priced by another interval than the plan it would be billed with."""
    for add_on in timeline.add_ons:
        if add_on.is_once:
            continue
        for segment in timeline.segments:
            wanted, priced = _interval(segment.version), _interval(add_on.version)
            if wanted != priced and add_on_stretches(add_on, segment.first_day, segment.end_day or date.max):
                message = _("add-on %(add_on)s has another interval than %(plan)s: take it off, or choose one of that interval")
                values = {"add_on": add_on.code, "plan": segment.version}
                raise SubscriptionError(message % values, field="plan", code="add_on_does_not_fit")


def _interval(version: PlanVersion) -> tuple[str, int]:
    return version.interval, version.interval_count


def _said(change: SubscriptionChange) -> dict[str, Any]:
    said: dict[str, Any] = {"kind": change.kind, "from": change.effective_on.isoformat()}
    if change.plan_version is not None:
        said |= {"plan": change.plan_version.plan.code, "version": change.plan_version.version}
    if change.quantity is not None:
        said |= {"of": change.charge_code or change.add_on_code, "quantity": str(change.quantity)}
    return said
