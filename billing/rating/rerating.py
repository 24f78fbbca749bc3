"""Past periods of real usage, priced by another plan version beside their own: who would pay what more. Reads; writes nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from billing.models import BillingPeriod, Plan, PlanVersion, SubscriptionChange
from billing.rating.lines import RatedPeriod, rate_period
from billing.rating.single import single_amounts
from billing.rating.terms import TermsBook, VersionTerms, load_terms
from billing.subscriptions.periods import LIVE
from billing.subscriptions.timeline import Timeline, timeline_of
from usage.models import Meter
from usage.selectors import MeteredUsage, metered_usage_of, quantity_of

PAGE_SIZE: Final = 500  # periods whose usage is held at a time
# Of a subscription whose fees do not depend on what was decided about it.
_NO_STEPS: Final = Timeline(segments=(), quantities={}, add_ons=())


class UnableToRerate(Exception):
    """What was asked for cannot be rated again; the message says what to do."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpricedUsage:
    """Usage that its own version or the other one meters, and that no charge of the other takes."""

    meter: str  # its code
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReratedPeriod:
    """
    A billing period by its own terms and by another version's, both by the usage now known.

    Amounts are the sum of the rounded lines in minor units, fees of both parts and the commitment's true-up among them, before
    discounts and tax. A period that cannot be rated has none, and its `error` says why.
    """

    customer: str  # external id
    subscription: str  # external id
    first_day: date  # inclusive
    end_day: date  # exclusive
    currency: str
    version: int  # that it is on
    own_minor: int | None
    other_minor: int | None
    unpriced: tuple[UnpricedUsage, ...] = ()  # under the other version, by meter
    error: str = ""

    @property
    def difference_minor(self) -> int | None:
        """What the other version would have cost more, in minor units; None where an amount is missing."""
        return None if self.own_minor is None or self.other_minor is None else self.other_minor - self.own_minor


def rerate(
    *,
    version_id: int,
    first_day: date,
    end_day: date,
    plan_code: str | None = None,
    customer_id: int | None = None,
    terms_book: TermsBook | None = None,
) -> Iterator[ReratedPeriod]:
    """
    Price the billing periods within the local days [first_day, end_day) by another plan version, beside their own.

    Of all customers or of one: the regular periods that lie within these days as a whole, whose terms were a version of the
    plan (by default the other version's own plan) in the same currency; by customer, subscription and day. Trials and pauses
    cost nothing either way and are left out.

    Both amounts come from rate_period with the same usage and the same days, so fees and commitments are prorated by the whole
    period that is stored. That says nothing where the other version is sold by another interval (a yearly fee is no monthly
    one): such a period is yielded with an error. So is one that cannot be rated; those after it go on (I11). Quantities are
    carried over to charges of the same code, others have their default; add-ons stay.

    Three queries for every 500 periods, two for each version that is new to the book, two more a period for each charge that
    prices single events. A draft version may be asked for; it does not get into the book.

    :raises PlanVersion.DoesNotExist: if there is no such version
    :raises UnableToRerate: no_days, plan_not_found, or not_a_plan (the version is an add-on's)
    :raises billing.pricing.charge.ChargeError: if the version cannot be read
    """
    if end_day <= first_day:
        raise UnableToRerate(_("the last day must come after the first"), code="no_days")
    version = PlanVersion.objects.select_related("plan").get(pk=version_id)
    if version.plan.kind != Plan.Kind.PLAN:
        message = _("%(plan)s is an add-on: name a version of a plan") % {"plan": version.plan.code}
        raise UnableToRerate(message, code="not_a_plan")
    plan = version.plan if plan_code is None else Plan.objects.filter(code=plan_code, kind=Plan.Kind.PLAN).first()
    if plan is None:
        raise UnableToRerate(_("there is no plan %(plan)s") % {"plan": plan_code}, code="plan_not_found")
    periods = BillingPeriod.objects.filter(
        LIVE,
        kind=BillingPeriod.Kind.REGULAR,
        first_day__gte=first_day,
        end_day__lte=end_day,
        plan_version__plan=plan,
        plan_version__currency=version.currency,
    )
    if customer_id is not None:
        periods = periods.filter(subscription__customer_id=customer_id)
    other = _Other(version, load_terms(version.pk), terms_book or TermsBook())
    return (rerated for page in _pages(periods) for rerated in other.rerate(page))


def rerate_periods(periods: Sequence[BillingPeriod], *, version: PlanVersion, terms_book: TermsBook) -> Iterator[ReratedPeriod]:
    """
    Yield each of some periods priced by a version beside its own terms, in the order given; otherwise as `rerate` does.

    Needs their subscription, customer and plan version loaded. Four queries, however many periods.

    :raises billing.pricing.charge.ChargeError: if the version cannot be read
    """
    return _Other(version, load_terms(version.pk), terms_book).rerate(periods)


def _pages(periods: QuerySet[BillingPeriod]) -> Iterator[list[BillingPeriod]]:
    """Yield periods in their order, a page a query; each page begins after the last row of the one before."""
    ordered = periods.order_by("subscription__customer__external_id", "subscription__external_id", "first_day")
    ordered = ordered.select_related("subscription__customer", "plan_version")
    after = Q()
    while page := list(ordered.filter(after)[:PAGE_SIZE]):
        yield page
        last = page[-1]
        customer, subscription = last.subscription.customer.external_id, last.subscription.external_id
        later = Q(subscription__external_id=subscription, first_day__gt=last.first_day)
        later |= Q(subscription__external_id__gt=subscription)
        later &= Q(subscription__customer__external_id=customer)
        later |= Q(subscription__customer__external_id__gt=customer)
        # Said apart for the index on the customer's external id.
        after = Q(subscription__customer__external_id__gte=customer) & later


@dataclass(frozen=True, slots=True)
class _Other:
    """The version that periods are priced by beside their own. Its terms stay out of the book, since it may be a draft."""

    version: PlanVersion
    terms: VersionTerms
    book: TermsBook

    def rerate(self, periods: Sequence[BillingPeriod]) -> Iterator[ReratedPeriod]:
        """Yield each period priced again. Two queries for all of them, and those of versions and single events."""
        terms = {version_id: self._own_terms(version_id) for version_id in {period.plan_version_id for period in periods}}
        readable = [known for known in terms.values() if isinstance(known, VersionTerms)]
        spans = [(period.subscription.customer_id, period.first_day, period.end_day) for period in periods]
        usage = metered_usage_of(spans, meter_ids=sorted(_meters(self.terms, *readable)))
        with_quantities = {
            period.subscription_id
            for period in periods
            if _has_quantities(self.terms) or _has_quantities(terms[period.plan_version_id])
        }
        timelines = _timelines({period.subscription_id for period in periods}, with_quantities)
        for period, pieces in zip(periods, usage, strict=True):
            timeline = timelines.get(period.subscription_id, _NO_STEPS)
            yield self._rerated(period, terms[period.plan_version_id], pieces, timeline)

    def _own_terms(self, version_id: int) -> VersionTerms | str:
        """Return the terms of a version, or why they cannot be read."""
        try:
            return self.book.of(version_id)
        except ValueError as error:
            return _told(error)

    def _rerated(
        self,
        period: BillingPeriod,
        terms: VersionTerms | str,
        usage: Sequence[MeteredUsage],
        timeline: Timeline,
    ) -> ReratedPeriod:
        own = other = None
        unpriced: tuple[UnpricedUsage, ...] = ()
        error = terms if isinstance(terms, str) else self._refusal(period.plan_version)
        if not error and isinstance(terms, VersionTerms):
            try:
                own = _total(self._rate(period, terms, usage, timeline))
                rated = self._rate(period, self.terms, usage, timeline)
                other, unpriced = _total(rated), self._unpriced(rated, terms, usage)
            except (ArithmeticError, ValueError) as caught:
                own, error = None, _told(caught)
        return ReratedPeriod(
            customer=period.subscription.customer.external_id,
            subscription=period.subscription.external_id,
            first_day=period.first_day,
            end_day=period.end_day,
            currency=self.terms.currency,
            version=period.plan_version.version,
            own_minor=own,
            other_minor=other,
            unpriced=unpriced,
            error=error,
        )

    def _rate(self, period: BillingPeriod, terms: VersionTerms, usage: Sequence[MeteredUsage], timeline: Timeline) -> RatedPeriod:
        single = single_amounts(period.subscription.customer_id, terms)
        return rate_period(period, terms, usage=usage, timeline=timeline, terms_book=self.book, single=single)

    def _refusal(self, own: PlanVersion) -> str:
        """Return why periods of a version cannot be compared; empty if they can."""
        if (own.interval, own.interval_count) == (self.version.interval, self.version.interval_count):
            return ""
        message = _("it is billed %(own)s and version %(version)d %(other)s: fees of different intervals cannot be compared")
        values = {"own": own.cadence_words, "version": self.version.version, "other": self.version.cadence_words}
        return message % values

    def _unpriced(self, rated: RatedPeriod, own: VersionTerms, usage: Iterable[MeteredUsage]) -> tuple[UnpricedUsage, ...]:
        meters, priced = _meters(self.terms, own), _meters(self.terms)
        # Rating leaves usage of a meter that the version does not name to others; here it is what nobody would pay for.
        left = [piece for piece in usage if piece.meter_id in meters and piece.meter_id not in priced]
        by_meter: dict[int, list[MeteredUsage]] = {}
        for piece in (*rated.unpriced, *left):
            by_meter.setdefault(piece.meter_id, []).append(piece)
        found = ((meters[meter_id], pieces) for meter_id, pieces in by_meter.items())
        told = (UnpricedUsage(meter=meter.code, quantity=quantity_of(meter.aggregation, pieces)) for meter, pieces in found)
        return tuple(sorted((each for each in told if each.quantity), key=lambda each: each.meter))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _total(rated: RatedPeriod) -> int:
    return sum(line.amount_minor for line in rated.lines)


def _meters(*terms: VersionTerms) -> dict[int, Meter]:
    return {charge.meter.pk: charge.meter for each in terms for charge in each.charges if charge.meter is not None}


def _has_quantities(terms: VersionTerms | str) -> bool:
    return isinstance(terms, VersionTerms) and any(charge.default_quantity is not None for charge in terms.charges)


def _timelines(subscription_ids: set[int], with_fees: set[int]) -> dict[int, Timeline]:
    """Return the timelines of those that have fees by quantity, and of those that have had an add-on. One query."""
    live = SubscriptionChange.objects.filter(undone_at=None)
    with_add_ons = live.filter(subscription__in=subscription_ids, kind=SubscriptionChange.Kind.ADD_ON).values("subscription")
    changes: dict[int, list[SubscriptionChange]] = {}
    wanted = Q(subscription__in=with_fees) | Q(subscription__in=with_add_ons)
    for change in live.filter(wanted).select_related("plan_version__plan"):
        changes.setdefault(change.subscription_id, []).append(change)
    return {subscription_id: timeline_of(found) for subscription_id, found in changes.items()}
