"""Which coupons of a customer reduce an invoice: read for previews, and locked for drafts so that none is used too often."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Count, Q

from billing.locks import lock_redemptions
from billing.models import Coupon, CouponRedemption, Invoice

# Of the discounts of a redemption, those that use it up.
USED: Final = Q(discounts__isnull=False) & ~Q(discounts__invoice__status=Invoice.Status.VOID)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsableCoupon:
    """A coupon as it reduces an invoice; empty sets apply to every plan, every charge."""

    redemption_id: int
    code: str
    label: str
    percent: Decimal | None
    amount_minor: int | None
    plan_codes: frozenset[str]
    charge_codes: frozenset[str]
    uses_left: int | None  # invoices; None: any number

    def applies_to(self, *, plan_code: str, charge_code: str) -> bool:
        """
        Say whether a line is reduced, by the plan or add-on that its charge is of, and by the charge's own code.

        The line of an add-on has the name of the add-on before the charge (`:support:fee`), which does not count here: a coupon
        of the charge `fee` reduces it, and one of the plan `support` too. `plan_code` is empty for one-off items, which only a
        coupon of everything reduces.
        """
        if not plan_code:
            return not self.plan_codes and not self.charge_codes
        return (not self.plan_codes or plan_code in self.plan_codes) and (
            not self.charge_codes or own_code(charge_code) in self.charge_codes
        )


def own_code(line_code: str) -> str:
    """
    Return the code of a line's charge as the catalogue has it.

    >>> own_code("calls"), own_code(":support:fee"), own_code(":minimum-commitment")
    ('calls', 'fee', ':minimum-commitment')
    """
    return line_code.rpartition(":")[2] if line_code.count(":") > 1 else line_code


def usable_coupons(
    *,
    customer_id: int,
    subscription_id: int | None,
    currency: str,
    redeemed_before: datetime,
    as_of: datetime,
    except_invoice_id: int | None = None,
    lock: bool = False,
) -> Sequence[UsableCoupon]:
    """
    Return the coupons that reduce an invoice, in the order in which they were redeemed. One query, two with `lock`.

    They were redeemed before an instant (the end of the boundary's day) and are not taken away at `as_of`. A coupon that lasts a
    number of invoices is used up by that many that are not void, drafts too; `except_invoice_id` leaves out the draft that is
    being worked out anew. With `lock` the redemptions stay locked until the transaction ends, so that two drafts do not both
    take the last use.
    """
    if lock:
        lock_redemptions(customer_id)
    used = USED if except_invoice_id is None else USED & ~Q(discounts__invoice_id=except_invoice_id)
    redemptions = (
        CouponRedemption.objects.filter(
            Q(subscription_id=None) | Q(subscription_id=subscription_id),
            Q(ended_at=None) | Q(ended_at__gt=as_of),
            Q(coupon__currency="") | Q(coupon__currency=currency),
            customer_id=customer_id,
            redeemed_at__lt=redeemed_before,
        )
        .select_related("coupon")
        .annotate(used_count=Count("discounts__invoice_id", filter=used, distinct=True))
        .order_by("redeemed_at", "pk")
    )
    usable = (_usable(redemption) for redemption in redemptions)
    return [coupon for coupon in usable if coupon.uses_left != 0]


def uses_left(redemption: CouponRedemption, used: int) -> int | None:
    """Return how many more invoices a redeemed coupon reduces, after so many; None: any number. Needs the coupon loaded."""
    uses = {Coupon.Duration.ONCE: 1, Coupon.Duration.PERIODS: redemption.coupon.period_count}
    lasts = uses.get(Coupon.Duration(redemption.coupon.duration))
    return None if lasts is None else max(lasts - used, 0)


def _usable(redemption: CouponRedemption) -> UsableCoupon:
    coupon = redemption.coupon
    used: int = redemption.used_count  # type: ignore[attr-defined] # annotated
    return UsableCoupon(
        redemption_id=redemption.pk,
        code=coupon.code,
        label=coupon.name,
        percent=coupon.percent,
        amount_minor=coupon.amount_minor,
        plan_codes=frozenset(coupon.plan_codes),
        charge_codes=frozenset(coupon.charge_codes),
        uses_left=uses_left(redemption, used),
    )
