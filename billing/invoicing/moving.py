"""Move the subscriptions of a plan to the version that is sold now: which they are, what it would mean, and the move itself."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import takewhile
from typing import Any, Final

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from billing.locks import lock_subscription
from billing.models import BillingPeriod, Plan, PlanVersion, Subscription, SubscriptionChange
from billing.rating.rerating import ReratedPeriod, rerate_periods
from billing.rating.terms import TermsBook
from billing.subscriptions.changing import When, change_plan
from billing.subscriptions.periods import LIVE, load_timeline
from billing.subscriptions.refusals import SubscriptionError
from squill.lib.actor import Actor, system

_PAGE_SIZE: Final = 100
_Kind = SubscriptionChange.Kind
_NOBODY: Final = system("preview")  # of what is taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a subscription cannot be moved; the message says what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A subscription on its way from one version of its plan to another."""

    customer: str  # external id
    subscription: str  # external id
    from_version: int
    to_version: int
    effective_on: date | None  # the first local day on the new version; None if it is refused
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePreview:
    """A move that was tried and taken back, and its last billed whole period by both prices; None if it has none yet."""

    move: Move
    last_period: ReratedPeriod | None


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What became of each subscription that was to be moved."""

    moved: list[Move] = field(default_factory=list)
    refused: list[Move] = field(default_factory=list)


def movable_subscriptions(
    plan_code: str, *, now: datetime, customer_id: int | None = None, only: Collection[str] | None = None
) -> QuerySet[Subscription]:
    """
    Return the subscriptions on a plan that would be on a newer version if they were begun now, with their customers.

    They have not ended, and the last version that is decided for them, maybe for a later day, is older than the one that is
    sold to their customer (their own before the public one). One that leaves the plan, or that has yet to come to it, is none
    of them. `only` leaves out all but some external ids. One query, and one for the plan; annotates `last_version` and `sold`,
    both numbers, and `sold_id`.

    :raises SubscriptionError: plan_not_found
    """
    plan = Plan.objects.filter(code=plan_code, kind=Plan.Kind.PLAN).first()
    if plan is None:
        raise SubscriptionError(_("there is no plan %(plan)s") % {"plan": plan_code}, field="plan", code="plan_not_found")
    offers = PlanVersion.objects.filter(
        Q(customer=None) | Q(customer=OuterRef("customer")),
        plan=plan,
        currency=OuterRef("customer__currency"),
        status=PlanVersion.Status.PUBLISHED,
    ).order_by(F("customer").asc(nulls_last=True))
    decided = SubscriptionChange.objects.filter(
        Q(subscription__ended_on=None) | Q(effective_on__lt=F("subscription__ended_on")),
        subscription=OuterRef("pk"),
        kind__in=[_Kind.START, _Kind.PLAN],
        undone_at=None,
    ).order_by("-effective_on", "-pk")
    subscriptions = Subscription.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now), plan=plan)
    if customer_id is not None:
        subscriptions = subscriptions.filter(customer=customer_id)
    if only is not None:
        subscriptions = subscriptions.filter(external_id__in=only)
    annotated: QuerySet[Any] = subscriptions.annotate(
        sold_id=Subquery(offers.values("pk")[:1]),
        sold=Subquery(offers.values("version")[:1]),
        last_plan_id=Subquery(decided.values("plan_version__plan")[:1]),
        last_version=Subquery(decided.values("plan_version__version")[:1]),
    )
    return annotated.filter(last_plan_id=plan.pk, last_version__lt=F("sold")).select_related("customer").order_by("pk")


def preview_moves(
    plan_code: str, *, when: When, now: datetime, customer_id: int | None = None, only: Collection[str] | None = None
) -> Iterator[MovePreview]:
    """
    Say of each subscription that can be moved what the move would mean, or how it would be refused. Nothing is kept.

    Each move is carried out and taken back in a transaction of its own, which locks the subscription meanwhile. Its last whole
    period that is billed is rated by its own terms and by the version to come.

    :raises SubscriptionError: plan_not_found
    """
    subscriptions = movable_subscriptions(plan_code, now=now, customer_id=customer_id, only=only)
    return _previews(subscriptions, plan_code, when, now)


def _previews(subscriptions: QuerySet[Subscription], plan_code: str, when: When, now: datetime) -> Iterator[MovePreview]:
    terms_book = TermsBook()
    for page in _pages(subscriptions):
        rerated = _last_periods_rerated(page, terms_book)
        for subscription in page:
            with transaction.atomic():
                move = _moved(subscription, plan_code, when, _NOBODY, now)
                transaction.set_rollback(True)
            yield MovePreview(move=move, last_period=rerated.get(subscription.external_id))


def move_subscriptions(
    plan_code: str,
    *,
    when: When,
    actor: Actor,
    now: datetime,
    customer_id: int | None = None,
    only: Collection[str] | None = None,
) -> MoveReport:
    """
    Move the subscriptions of a plan to the version that is sold to their customers now, each in a transaction of its own.

    One that is refused stays as it is, and the others go on. Idempotent: those that were moved are not moved again.

    :raises SubscriptionError: plan_not_found
    """
    report = MoveReport()
    for page in _pages(movable_subscriptions(plan_code, now=now, customer_id=customer_id, only=only)):
        for subscription in page:
            move = _moved(subscription, plan_code, when, actor, now)
            (report.refused if move.refusal else report.moved).append(move)
    return report


def _pages(subscriptions: QuerySet[Any]) -> Iterator[list[Any]]:
    """Yield pages by primary key: what was moved on one page, or refused, does not come again on the next."""
    last = 0
    while page := list(subscriptions.filter(pk__gt=last)[:_PAGE_SIZE]):
        yield page
        last = page[-1].pk


def _moved(subscription: Any, plan_code: str, when: When, actor: Actor, now: datetime) -> Move:
    """Move one of `movable_subscriptions`, or leave it as it is and say why."""
    effective_on: date | None = None
    refusal: Refusal | None = None
    try:
        with transaction.atomic():
            effective_on = _change(subscription, plan_code, when, actor, now)
    except SubscriptionError as error:
        refusal = Refusal(code=error.code, message=error.message)
    return Move(
        customer=subscription.customer.external_id,
        subscription=subscription.external_id,
        from_version=subscription.last_version,
        to_version=subscription.sold,
        effective_on=effective_on,
        refusal=refusal,
    )


def _change(subscription: Any, plan_code: str, when: When, actor: Actor, now: datetime) -> date:
    """
    Change the plan and return the first day on the new version, on which it stays.

    :raises SubscriptionError: as change_plan; left_plan (somebody has put it on another plan meanwhile), or changes_later
    """
    locked = lock_subscription(subscription.pk)
    if locked is None or load_timeline(locked).segments[-1].version.plan.code != plan_code:
        raise SubscriptionError(_("it has left the plan meanwhile"), field="plan", code="left_plan")
    change_plan(subscription_id=locked.pk, plan_code=plan_code, when=when, actor=actor, now=now)
    segments = load_timeline(locked).segments
    if segments[-1].version.pk != subscription.sold_id:
        message = _("it changes to version %(version)d on %(day)s: undo that change, or move it after that day")
        values = {"version": segments[-1].version.version, "day": segments[-1].first_day}
        raise SubscriptionError(message % values, field="when", code="changes_later")
    on_it = takewhile(lambda segment: segment.version.pk == subscription.sold_id, reversed(segments))
    return min(segment.first_day for segment in on_it)


def _last_periods_rerated(page: Sequence[Any], terms_book: TermsBook) -> dict[str, ReratedPeriod]:
    """Return the last billed whole period of each subscription by the version that is sold, by external id. Few queries."""
    sold_ids = {subscription.pk: subscription.sold_id for subscription in page}
    billed = BillingPeriod.objects.filter(
        LIVE,
        kind=BillingPeriod.Kind.REGULAR,
        subscription__in=sold_ids,
        arrears_billed_at__isnull=False,
        first_day=F("whole_first_day"),
        end_day=F("whole_end_day"),
    )
    last = billed.order_by("subscription", "-index").distinct("subscription")
    periods: dict[int, list[BillingPeriod]] = {}
    for period in last.select_related("subscription__customer", "plan_version"):
        periods.setdefault(sold_ids[period.subscription_id], []).append(period)
    versions = PlanVersion.objects.in_bulk(periods)
    return {
        rerated.subscription: rerated
        for version_id, found in periods.items()
        for rerated in rerate_periods(found, version=versions[version_id], terms_book=terms_book)
    }
