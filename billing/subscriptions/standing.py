"""How a subscription stands at an instant: its state, what it is on, and what is decided for later. Reads; writes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from billing.models import BillingPeriod, PlanVersion, Subscription, SubscriptionChange
from billing.subscriptions.timeline import Timeline, add_on_stretches, timeline_of

_Kind = SubscriptionChange.Kind


class State(TextChoices):
    """What a subscription is in, as of an instant."""

    PLANNED = "planned", _("planned")  # it has not begun
    TRIAL = "trial", _("trial")
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    ENDED = "ended", _("ended")


class ChangeState(TextChoices):
    """What has become of a change, as of a day."""

    PLANNED = "planned", _("planned")  # its day lies ahead
    IN_EFFECT = "in effect", _("in effect")
    UNDONE = "undone", _("undone")
    WITHOUT_EFFECT = "without effect", _("without effect")  # the subscription ends before its day, or on it


_STATE_OF_DAYS: Mapping[str, State] = {
    BillingPeriod.Kind.REGULAR: State.ACTIVE,
    BillingPeriod.Kind.TRIAL: State.TRIAL,
    BillingPeriod.Kind.PAUSED: State.PAUSED,
}


@dataclass(frozen=True, slots=True)
class HeldAddOn:
    """An add-on that a subscription has at a day."""

    code: str  # its name in the subscription
    version: PlanVersion
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class ToldChange:
    """A change with what has become of it."""

    change: SubscriptionChange
    state: ChangeState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    A subscription at an instant.

    What it is on (version, quantities, add-ons) is that of its first day where it has not begun, of its last where it has ended.
    """

    subscription: Subscription
    today: date  # the customer's
    state: State
    version: PlanVersion
    trial_ends_on: date | None  # exclusive
    quantities: Mapping[str, Decimal]  # by the codes of the fees by quantity of its version
    add_ons: tuple[HeldAddOn, ...]
    planned: tuple[ToldChange, ...]  # in the order of their days

    @property
    def is_active(self) -> bool:
        """Whether it has begun and has not ended, paused or not."""
        return self.state not in (State.PLANNED, State.ENDED)


def with_changes(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Load with subscriptions what their standing is worked out from. Two queries more, for any number of rows."""
    changes = SubscriptionChange.objects.select_related("plan_version__plan").prefetch_related("plan_version__charges")
    return rows.select_related("customer").prefetch_related(Prefetch("changes", changes.order_by("pk")))


def standing_of(subscription: Subscription, *, now: datetime) -> Standing:
    """Work out how a subscription stands. No query where it was read by `with_changes`."""
    changes = list(subscription.changes.all())
    timeline = timeline_of(changes)
    today = now.astimezone(ZoneInfo(subscription.customer.timezone)).date()
    day = _day_told(timeline, today)
    segment = timeline.segment_on(day) or timeline.segments[-1]
    state = _STATE_OF_DAYS[segment.kind]
    if subscription.starts_at > now:
        state = State.PLANNED
    elif subscription.ends_at is not None and subscription.ends_at <= now:
        state = State.ENDED
    return Standing(
        subscription=subscription,
        today=today,
        state=state,
        version=segment.version,
        trial_ends_on=next(change.trial_ends_on for change in changes if change.kind == _Kind.START),
        quantities=_quantities(timeline, segment.version, day),
        add_ons=tuple(_add_ons(timeline, day)),
        planned=_planned(changes, today, subscription.ended_on),
    )


def told(change: SubscriptionChange, *, today: date, ended_on: date | None) -> ToldChange:
    """Say what has become of a change, at a day of the customer's, of a subscription that ends on a day. No query."""
    state = ChangeState.PLANNED if change.effective_on > today else ChangeState.IN_EFFECT
    if change.undone_at is not None:
        state = ChangeState.UNDONE
    elif ended_on is not None and change.kind != _Kind.END and change.effective_on >= ended_on:
        state = ChangeState.WITHOUT_EFFECT
    return ToldChange(change, state)


def _day_told(timeline: Timeline, today: date) -> date:
    day = max(today, timeline.started_on)
    return day if timeline.ended_on is None else min(day, timeline.ended_on - timedelta(days=1))


def _quantities(timeline: Timeline, version: PlanVersion, day: date) -> dict[str, Decimal]:
    charges = sorted(version.charges.all(), key=lambda charge: charge.position)
    return {
        charge.code: timeline.quantity_on(charge.code, day, default=charge.default_quantity)
        for charge in charges
        if charge.default_quantity is not None
    }


def _add_ons(timeline: Timeline, day: date) -> Iterable[HeldAddOn]:
    for add_on in timeline.add_ons:
        for stretch in add_on_stretches(add_on, day, day + timedelta(days=1)):
            yield HeldAddOn(add_on.code, add_on.version, stretch.quantity)


def _planned(changes: Iterable[SubscriptionChange], today: date, ended_on: date | None) -> tuple[ToldChange, ...]:
    """Return what will happen and can be undone; the start of a subscription is told by its first day."""
    found = [told(change, today=today, ended_on=ended_on) for change in changes if change.kind != _Kind.START]
    ahead = [one for one in found if one.state == ChangeState.PLANNED]
    return tuple(sorted(ahead, key=lambda one: (one.change.effective_on, one.change.pk)))
