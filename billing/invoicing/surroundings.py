"""All that an invoice needs besides its rated lines: who bills, which taxes, coupons and credits. Read once for each invoice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.translation import override

from billing.invoicing.entities import Billing, billing_of
from billing.models import BillingPeriod, Charge
from billing.reductions.coupons import UsableCoupon, usable_coupons
from billing.reductions.credits import UsableCredit, usable_credits
from billing.tax.advice import TaxAdvice, tax_advice
from billing.tax.tax_point import tax_point
from billing.tax.values import Tax
from customers.models import Customer


class ChargeFacts(NamedTuple):
    """What a charge says for tax and coupons."""

    tax_class: str
    tax_rate: Decimal | None
    plan_code: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    What stands around the lines of an invoice. `coupons` and `credits` are those that can be used, in order; credits are an
    estimate until finalisation, which locks them.
    """

    billing: Billing
    issued_on: date
    tax: TaxAdvice
    coupons: Sequence[UsableCoupon] = ()
    credits: Sequence[UsableCredit] = ()
    charges: Mapping[int, ChargeFacts] = field(default_factory=dict)

    def facts(self, charge_id: int | None, period: BillingPeriod) -> ChargeFacts:
        """Return what is known of a line's charge; a commitment's line has the period's plan and the standard class."""
        if charge_id is not None:
            return self.charges[charge_id]
        return ChargeFacts("standard", None, period.plan_version.plan.code)

    def tax_of(self, facts: ChargeFacts, *, last_day: date) -> Tax:
        """
        Return the tax of a line whose period ends with `last_day` (inclusive), with its words in the active language.

        :raises TaxUnknown: if a rate or a fact is missing
        """
        day = tax_point(issued_on=self.issued_on, last_day=last_day)
        return self.tax.of(tax_class=facts.tax_class, rate_override=facts.tax_rate, day=day)


def surroundings_of(
    customer: Customer,
    *,
    subscription_id: int | None,
    boundary_at: datetime,
    as_of: datetime,
    currency: str,
    charge_ids: Iterable[int],
    except_invoice_id: int | None = None,
    is_preview: bool = False,
) -> Surroundings:
    """
    Read what stands around an invoice that is issued on the seller's day of `as_of`. Some seven queries.

    A draft locks the coupons that it reads until the transaction ends; a preview locks and makes nothing.
    """
    billing = billing_of(customer, is_preview=is_preview)
    issued_on = as_of.astimezone(ZoneInfo(billing.entity.timezone)).date()
    charges = Charge.objects.filter(pk__in=set(charge_ids))
    facts = charges.values_list("pk", "tax_class", "tax_rate_pct", "plan_version__plan__code")
    with override(customer.locale):
        advice = tax_advice(entity=billing.entity, customer=customer, profile=billing.profile, day=issued_on)
    return Surroundings(
        billing=billing,
        issued_on=issued_on,
        tax=advice,
        coupons=usable_coupons(
            customer_id=customer.pk,
            subscription_id=subscription_id,
            currency=currency,
            redeemed_before=_end_of_day(boundary_at, customer),
            as_of=as_of,
            except_invoice_id=except_invoice_id,
            lock=not is_preview,
        ),
        credits=usable_credits(customer_id=customer.pk, currency=currency, at=as_of),
        charges={pk: ChargeFacts(tax_class, rate, plan_code) for pk, tax_class, rate, plan_code in facts},
    )


def _end_of_day(instant: datetime, customer: Customer) -> datetime:
    """Return the end of the customer's day: a coupon that is redeemed on the day of a boundary reduces what it bills."""
    zone = ZoneInfo(customer.timezone)
    return datetime.combine(instant.astimezone(zone).date() + timedelta(days=1), time.min, zone)
