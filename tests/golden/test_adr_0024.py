"""The worked example of ADR 0024: what Northlight GmbH of Berlin charges whom."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingEntity, BillingProfile, TaxRegistration
from billing.tax.advice import tax_advice
from billing.tax.tax_point import tax_point
from customers.models import Customer
from squill.lib.decimals import plain

pytestmark = pytest.mark.django_db
LYON: dict[str, Any] = {"country": "FR", "postal_code": "69001", "city": "Lyon"}
BERLIN: dict[str, Any] = {"country": "DE", "postal_code": "10115", "city": "Berlin"}


@pytest.fixture
def northlight() -> BillingEntity:
    return BillingEntity.objects.create(
        code="northlight", name="Northlight", legal_name="Northlight GmbH", country="DE", tax_id="DE 136 695 976"
    )


def charged(
    seller: BillingEntity,
    *,
    day: date = date(2026, 3, 1),
    charge_rate: str | None = None,
    profile: BillingProfile | None = None,
    **customer: Any,
) -> tuple[str, str, str, str]:
    """The rate, the category, the code and the words that a customer's line bears."""
    advice = tax_advice(entity=seller, customer=Customer(external_id="acme", **customer), profile=profile, day=day)
    tax = advice.of(tax_class="standard", rate_override=None if charge_rate is None else Decimal(charge_rate))
    return plain(tax.rate), tax.category, tax.exemption_code, tax.note


def test_domestic(northlight: BillingEntity) -> None:
    assert charged(northlight, **BERLIN) == ("19", "S", "", "")


def test_reverse_charge(northlight: BillingEntity) -> None:
    note = "Reverse charge: the customer owes the tax (Article 196 of Directive 2006/112/EC)."
    assert charged(northlight, tax_id="FR 61 954 506 077", **LYON) == ("0", "AE", "VATEX-EU-AE", note)


def test_consumer_elsewhere_pays_at_home_until_there_is_the_one_stop_shop(northlight: BillingEntity) -> None:
    assert charged(northlight, **LYON) == ("19", "S", "", "")
    TaxRegistration.objects.create(billing_entity=northlight, country="DE", is_one_stop_shop=True, valid_from=date(2026, 1, 1))
    assert charged(northlight, **LYON) == ("20", "S", "", "")


def test_export(northlight: BillingEntity) -> None:
    note = (
        "Not subject to VAT: the service is supplied outside the European Union "
        "(Articles 44, 58 and 59 of Directive 2006/112/EC)."
    )
    assert charged(northlight, country="US", region="New York") == ("0", "O", "VATEX-EU-O", note)


def test_exempt(northlight: BillingEntity) -> None:
    school = BillingProfile(tax_exemption_reason="Education, § 4 Nr. 21 UStG", tax_exemption_code="VATEX-EU-132-1I")
    assert charged(northlight, profile=school, **BERLIN) == ("0", "E", "VATEX-EU-132-1I", "Education, § 4 Nr. 21 UStG")


def test_rates_of_the_charge_and_of_the_customer(northlight: BillingEntity) -> None:
    assert charged(northlight, charge_rate="7", **BERLIN) == ("7", "S", "", "")
    assert charged(northlight, charge_rate="7", tax_rate_pct=Decimal(5), **BERLIN) == ("5", "S", "", "")


def test_usage_of_december_and_the_fee_of_january_on_one_invoice(northlight: BillingEntity) -> None:
    issued_on = date(2021, 1, 1)
    usage, fee = (
        charged(northlight, day=tax_point(issued_on=issued_on, last_day=last_day), **BERLIN)
        for last_day in (date(2020, 12, 31), date(2021, 1, 31))
    )
    assert (usage[0], fee[0]) == ("16", "19")
