from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from billing.models import BillingEntity, BillingProfile, TaxRate, TaxRegistration
from billing.tax.advice import TaxAdvice, tax_advice, vat_id_trouble
from billing.tax.errors import TaxUnknown
from billing.tax.values import Tax
from customers.models import Customer

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 1)
GERMAN_ID = "DE136695976"
FRENCH_ID = "FR 61 954 506 077"


def entity(**facts: Any) -> BillingEntity:
    known = {"code": "main", "name": "Main", "legal_name": "Main GmbH", "country": "DE", "tax_id": GERMAN_ID}
    return BillingEntity.objects.create(**(known | facts))


def advice(seller: BillingEntity, *, profile: BillingProfile | None = None, day: date = DAY, **facts: Any) -> TaxAdvice:
    return tax_advice(entity=seller, customer=Customer(external_id="acme", **facts), profile=profile, day=day)


def tax(of: TaxAdvice, tax_class: str = "standard", rate: str | None = None) -> Tax:
    return of.of(tax_class=tax_class, rate_override=None if rate is None else Decimal(rate))


def test_domestic_customer_pays_the_rate_of_the_class() -> None:
    domestic = advice(entity(), country="DE")
    assert tax(domestic) == Tax(rate=Decimal(19), category="S", label="VAT")
    assert tax(domestic, "reduced") == Tax(rate=Decimal(7), category="S", label="VAT")
    assert tax(domestic, "zero") == Tax(rate=Decimal(0), category="Z", label="VAT")
    assert tax(domestic, "exempt") == Tax(rate=Decimal(0), category="E", label="VAT", note="Exempt from VAT.")
    assert tax(domestic, rate="9.5") == Tax(rate=Decimal("9.5"), category="S", label="VAT")


def test_business_elsewhere_in_the_union_owes_the_tax_itself() -> None:
    assert tax(advice(entity(), country="FR", tax_id=FRENCH_ID)) == Tax(
        rate=Decimal(0),
        category="AE",
        label="VAT",
        exemption_code="VATEX-EU-AE",
        note="Reverse charge: the customer owes the tax (Article 196 of Directive 2006/112/EC).",
    )


@pytest.mark.parametrize("number", ["FR61954506078", GERMAN_ID, "61954506077", ""])
def test_vat_id_that_cannot_be_right_makes_no_business(number: str) -> None:
    assert tax(advice(entity(), country="FR", tax_id=number)).rate == 19


def test_one_stop_shop_makes_the_rate_that_of_the_customer() -> None:
    seller = entity()
    TaxRegistration.objects.create(
        billing_entity=seller, country="DE", is_one_stop_shop=True, valid_from=date(2026, 2, 1), valid_until=date(2026, 4, 1)
    )
    consumer = advice(seller, country="FI")
    rates = [
        consumer.of(tax_class="standard", rate_override=None, day=day).rate
        for day in (date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 31), date(2026, 4, 1))
    ]
    assert rates == [Decimal(19), Decimal("25.5"), Decimal("25.5"), Decimal(19)]


def test_customer_outside_the_union_pays_none_and_reads_why() -> None:
    exported = tax(advice(entity(), country="US", region="NY"))
    assert (exported.rate, exported.category, exported.exemption_code) == (Decimal(0), "O", "VATEX-EU-O")
    assert exported.note.startswith("Not subject to VAT: the service is supplied outside the European Union")


def test_exempt_customer_bears_the_reason_and_the_code_of_its_profile() -> None:
    profile = BillingProfile(tax_exemption_reason="Education", tax_exemption_code="VATEX-EU-132-1I")
    assert tax(advice(entity(), profile=profile, country="DE", tax_rate_pct=Decimal(5)), rate="7") == Tax(
        rate=Decimal(0), category="E", label="VAT", exemption_code="VATEX-EU-132-1I", note="Education"
    )


def test_fixed_rate_of_the_customer_goes_before_that_of_the_charge() -> None:
    fixed = advice(entity(), country="DE", tax_rate_pct=Decimal("5.5"))
    assert tax(fixed, rate="7") == Tax(rate=Decimal("5.5"), category="S", label="VAT")


def test_customer_fixed_at_zero_bears_no_tax_and_no_words() -> None:
    assert tax(advice(entity(), country="DE", tax_rate_pct=Decimal(0))) == Tax(rate=Decimal(0), category="O", label="VAT")


def test_seller_without_a_country_charges_none() -> None:
    neutral = BillingEntity(is_default=True, code="default", name="Your company", legal_name="Your company")
    assert tax(advice(neutral, country="DE")) == Tax(rate=Decimal(0), category="O", label="Tax")
    assert tax(advice(neutral, country="DE"), rate="7") == Tax(rate=Decimal(7), category="S", label="Tax")


def test_sales_tax_is_charged_where_the_seller_is_registered_at_the_entered_rate() -> None:
    seller = entity(country="US", region="CA", tax_id="12-3456789")
    TaxRegistration.objects.create(billing_entity=seller, country="US", region="CA", valid_from=date(2020, 1, 1))
    TaxRate.objects.create(country="US", region="California", rate_pct="7.25", valid_from=date(2020, 1, 1))
    assert tax(advice(seller, country="US", region="California")) == Tax(rate=Decimal("7.25"), category="S", label="Sales tax")
    assert tax(advice(seller, country="US", region="TX")).category == "O"


def test_entered_rate_brings_its_word() -> None:
    seller = entity(country="CA", region="ON", tax_id="123456789RT0001")
    TaxRate.objects.create(country="CA", region="ON", rate_pct="13", label="HST", valid_from=date(2020, 1, 1))
    assert tax(advice(seller, country="CA", region="Ontario")) == Tax(rate=Decimal(13), category="S", label="HST")


def test_missing_rate_is_refused_and_not_taken_for_none() -> None:
    with pytest.raises(TaxUnknown, match="no tax rate for AU, class standard, on 2026-03-01"):
        tax(advice(entity(country="AU"), country="AU"))


def test_advice_asks_twice_and_never_again(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    seller = entity()
    with django_assert_num_queries(2):
        asked = advice(seller, country="FR")
    with django_assert_num_queries(0):
        tax(asked)
        tax(asked, "reduced", rate="7")


def test_entity_that_is_not_saved_has_no_registrations(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        advice(BillingEntity(country="DE", tax_id=GERMAN_ID), country="DE")


def test_trouble_of_a_vat_id_is_told_and_no_id_is_none() -> None:
    assert vat_id_trouble(Customer(country="DE", tax_id="DE136695977")) == (
        "The check digits of DE136695977 do not match: look for a typing mistake."
    )
    assert vat_id_trouble(Customer(country="DE", tax_id=GERMAN_ID)) == ""
    assert vat_id_trouble(Customer(country="DE", tax_id="")) == ""
