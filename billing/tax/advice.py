"""From rows to the tax of a line: what is known of a seller and a customer, read once, and then a decision a line."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from billing.models import BillingEntity, BillingProfile, TaxRate, TaxRegistration
from billing.tax.deciding import decide
from billing.tax.rates import EnteredRate, Rate, rate_of
from billing.tax.territories import place_of
from billing.tax.values import Buyer, Decision, Registration, Seller, Supply, Tax, Treatment
from billing.tax.vat_ids import VatIdError, check
from billing.tax.wording import label_of, note_of
from customers.models import Customer

# By the VATEX code list of EN 16931.
_EXEMPTION_CODES: Final = {
    Treatment.REVERSE_CHARGE: "VATEX-EU-AE",
    Treatment.RECIPIENT_ACCOUNTS: "VATEX-EU-O",
    Treatment.EXPORT: "VATEX-EU-O",
    Treatment.NOT_REGISTERED: "VATEX-EU-O",
}
_CATEGORIES: Final = {
    Treatment.EXEMPT_CUSTOMER: "E",
    Treatment.EXEMPT_SUPPLY: "E",
    Treatment.REVERSE_CHARGE: "AE",
    Treatment.RECIPIENT_ACCOUNTS: "O",
    Treatment.EXPORT: "O",
    Treatment.NOT_REGISTERED: "O",
    Treatment.NO_COUNTRY: "O",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAdvice:
    """What a seller charges a customer. Made by `tax_advice`; asks the database nothing."""

    seller: Seller
    buyer: Buyer
    day: date
    rates: tuple[EnteredRate, ...]

    def of(self, *, tax_class: str, rate_override: Decimal | None, day: date | None = None) -> Tax:
        """
        Return the tax of a line, its words in the active language.

        :param rate_override: percent, of the line's charge; None: the rate of the class
        :param day: whose law holds for this line (billing.tax.tax_point); None: the day that the advice was asked for
        :raises TaxUnknown: if a rate or a fact is missing
        """
        supply = Supply(day=day or self.day, tax_class=tax_class, rate_override=rate_override)
        decision = self.decision(supply)
        rate = self._rate(decision, supply)
        category = _CATEGORIES.get(decision.treatment) or _taxed_category(decision, rate)
        return Tax(
            rate=rate.percent,
            category=category,
            label=rate.label or label_of(decision.place.country),
            exemption_code=self._exemption_code(decision),
            note=note_of(decision, self.buyer),
        )

    def decision(self, supply: Supply) -> Decision:
        """
        Return how a supply is taxed, before its rate is looked up.

        :raises TaxUnknown: if a fact is missing
        """
        return decide(self.seller, self.buyer, supply)

    def _rate(self, decision: Decision, supply: Supply) -> Rate:
        if decision.rate is not None:
            return Rate(decision.rate)
        return rate_of(decision.place, supply.tax_class, supply.day, self.rates)

    def _exemption_code(self, decision: Decision) -> str:
        if decision.treatment is Treatment.EXEMPT_CUSTOMER:
            return self.buyer.exemption_code
        return _EXEMPTION_CODES.get(decision.treatment, "")


def _taxed_category(decision: Decision, rate: Rate) -> str:
    if rate.percent:
        return "S"
    # A customer that is fixed at nothing is told nothing; a supply at zero percent is zero rated.
    return "O" if decision.treatment is Treatment.FIXED_RATE else "Z"


def tax_advice(*, entity: BillingEntity, customer: Customer, profile: BillingProfile | None, day: date) -> TaxAdvice:
    """
    Return what the entity charges the customer.

    Two queries: the entity's registrations (none for an entity that is not saved) and the rates entered for both countries.

    :param day: whose law holds where a line names no day of its own
    """
    seller = Seller(
        place=place_of(entity.country, entity.region, entity.postal_code),
        has_tax_id=bool(entity.tax_id.strip()),
        registrations=_registrations(entity),
    )
    buyer = buyer_of(customer, profile)
    return TaxAdvice(seller=seller, buyer=buyer, day=day, rates=_rates({seller.place.country, buyer.place.country}))


def buyer_of(customer: Customer, profile: BillingProfile | None) -> Buyer:
    """Return the customer as tax sees it; a VAT id that cannot be right does not count."""
    buyer = Buyer(
        place=place_of(customer.country, customer.region, customer.postal_code),
        has_vat_id=bool(customer.tax_id.strip()) and not vat_id_trouble(customer),
        fixed_rate=customer.tax_rate_pct,
    )
    if profile is None or not profile.tax_exemption_reason:
        return buyer
    return replace(buyer, exemption_reason=profile.tax_exemption_reason, exemption_code=profile.tax_exemption_code)


def vat_id_trouble(customer: Customer) -> str:
    """Return why the customer's tax id cannot be a VAT id of its country, for a person; "" if it can, or if there is none."""
    try:
        check(customer.country, customer.tax_id)
    except VatIdError as error:
        return str(error)
    return ""


def _registrations(entity: BillingEntity) -> tuple[Registration, ...]:
    if entity.pk is None:
        return ()
    rows = TaxRegistration.objects.filter(billing_entity_id=entity.pk).order_by("pk")
    return tuple(
        Registration(
            place=place_of(row.country, row.region),
            is_one_stop_shop=row.is_one_stop_shop,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
        for row in rows
    )


def _rates(countries: Iterable[str]) -> tuple[EnteredRate, ...]:
    rows = TaxRate.objects.filter(country__in=sorted(country for country in countries if country)).order_by("pk")
    return tuple(
        EnteredRate(
            place=place_of(row.country, row.region),
            tax_class=row.tax_class,
            rate=row.rate_pct,
            label=row.label,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
        )
        for row in rows
    )
