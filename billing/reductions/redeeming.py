"""Who has which coupon: redeemed for a customer, taken away again, and how often it has reduced an invoice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count
from django.db.models.enums import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.locks import lock_coupon, lock_redemptions
from billing.models import Coupon, CouponRedemption, Subscription
from billing.reductions.coupons import USED, uses_left
from billing.reductions.refusals import ReductionError
from customers.audit import record
from customers.models import Customer
from squill.lib.actor import Actor


@transaction.atomic
def redeem_coupon(*, customer_id: int, code: str, actor: Actor, now: datetime, subscription: str = "") -> CouponRedemption:
    """
    Give a customer a coupon, for all it is billed or for one of its subscriptions (an external id).

    It reduces the invoices whose boundary lies on the customer's day of `now` or later. The limits of the coupon are counted
    with the coupon locked, so that the last one is not given twice; one that was taken away counts.

    :raises ReductionError: coupon_not_found, archived, redeemable_no_more, limit_reached, has_it, currency_mismatch,
        customer_archived, subscription_not_found
    """
    coupon = lock_coupon(code) if "\0" not in code else None
    if coupon is None:
        raise ReductionError(_("there is no coupon %(code)s") % {"code": code}, field="coupon", code="coupon_not_found")
    customer = Customer.objects.get(pk=customer_id)
    _check_redeemable(coupon, customer, now)
    redemption = CouponRedemption.objects.create(
        coupon=coupon, customer=customer, subscription=_subscription(customer, subscription), redeemed_at=now
    )
    _record("coupon.redeemed", redemption, actor, now, {"subscription": subscription})
    return redemption


@transaction.atomic
def take_away_coupon(*, redemption_id: int, actor: Actor, now: datetime) -> CouponRedemption:
    """
    Take a coupon away from a customer: final invoices stay as they are, drafts lose it when they are next worked out.

    Idempotent. Locks the coupons that the customer has.

    :raises CouponRedemption.DoesNotExist: if there is no such redemption
    """
    customer_id = CouponRedemption.objects.values_list("customer_id", flat=True).get(pk=redemption_id)
    lock_redemptions(customer_id)
    redemption = CouponRedemption.objects.select_related("coupon", "customer", "subscription").get(pk=redemption_id)
    if redemption.ended_at is None:
        redemption.ended_at = max(now, redemption.redeemed_at)
        redemption.save(update_fields=["ended_at"])
        _record("coupon.taken_away", redemption, actor, now, {})
    return redemption


class HeldState(TextChoices):
    """What has become of a coupon that a customer was given."""

    RUNNING = "running", gettext_lazy("running")
    USED_UP = "used_up", gettext_lazy("used up")
    TAKEN_AWAY = "taken_away", gettext_lazy("taken away")


@dataclass(frozen=True, slots=True)
class HeldCoupon:
    """A coupon that a customer has or had; `uses` are invoices that it reduces, drafts too, void ones not."""

    redemption: CouponRedemption
    uses: int
    uses_left: int | None  # None: any number

    @property
    def state(self) -> HeldState:
        """Say whether it will still reduce an invoice, and if not, why."""
        if self.redemption.ended_at is not None:
            return HeldState.TAKEN_AWAY
        return HeldState.USED_UP if self.uses_left == 0 else HeldState.RUNNING


def held_coupons(*, customer_id: int | None = None, coupon_id: int | None = None) -> Sequence[HeldCoupon]:
    """Return the coupons that a customer has or had, or who has or had a coupon, in the order of redemption. One query."""
    redemptions = CouponRedemption.objects.select_related("coupon", "customer", "subscription")
    if customer_id is not None:
        redemptions = redemptions.filter(customer_id=customer_id)
    if coupon_id is not None:
        redemptions = redemptions.filter(coupon_id=coupon_id)
    counted = redemptions.annotate(used_count=Count("discounts__invoice_id", filter=USED, distinct=True))
    return [
        HeldCoupon(redemption, redemption.used_count, uses_left(redemption, redemption.used_count))
        for redemption in counted.order_by("redeemed_at", "pk")
    ]


def _check_redeemable(coupon: Coupon, customer: Customer, now: datetime) -> None:
    named = {"code": coupon.code, "customer": customer.external_id}
    if customer.archived_at is not None:
        raise ReductionError(_("the customer is archived"), field="customer", code="customer_archived")
    if coupon.archived_at is not None:
        raise ReductionError(_("coupon %(code)s is archived: choose another one") % named, field="coupon", code="archived")
    if coupon.redeem_until is not None and now >= coupon.redeem_until:
        message = _("coupon %(code)s could be redeemed until %(until)s: give it more time, or choose another one")
        words = named | {"until": f"{coupon.redeem_until:%Y-%m-%d %H:%M} UTC"}
        raise ReductionError(message % words, field="coupon", code="redeemable_no_more")
    if coupon.currency and coupon.currency != customer.currency:
        message = _("coupon %(code)s takes an amount off in %(currency)s, customer %(customer)s is billed in %(billed)s")
        words = named | {"currency": coupon.currency, "billed": customer.currency}
        raise ReductionError(message % words, field="coupon", code="currency_mismatch")
    redemptions = CouponRedemption.objects.filter(coupon=coupon)
    if redemptions.filter(customer=customer, ended_at=None).exists():
        message = _("customer %(customer)s has coupon %(code)s already: take it away before giving it anew")
        raise ReductionError(message % named, field="coupon", code="has_it")
    if coupon.max_redemptions is not None and redemptions.count() >= coupon.max_redemptions:
        message = _("coupon %(code)s was redeemed %(count)d times, and is not given more often")
        raise ReductionError(message % (named | {"count": coupon.max_redemptions}), field="coupon", code="limit_reached")


def _subscription(customer: Customer, external_id: str) -> Subscription | None:
    if not external_id:
        return None
    found = None if "\0" in external_id else Subscription.objects.filter(customer=customer, external_id=external_id).first()
    if found is None:
        message = _("customer %(customer)s has no subscription %(id)s")
        words = {"customer": customer.external_id, "id": external_id}
        raise ReductionError(message % words, field="subscription", code="subscription_not_found")
    return found


def _record(action: str, redemption: CouponRedemption, actor: Actor, now: datetime, after: dict[str, str]) -> None:
    record(
        action=action,
        object_type="coupon",
        object_id=redemption.coupon.code,
        customer_id=redemption.customer_id,
        actor=actor,
        now=now,
        after={"customer": redemption.customer.external_id, **{name: value for name, value in after.items() if value}},
    )
