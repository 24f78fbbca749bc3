"""
Worked examples that vendors publish, with the amounts that they state, each worked again by hand in a comment.

The pages were consulted on 24 November 2026; docs/tariffs.md, "What vendors say themselves", links to them. Prices there
change, but an example stays right: what is tested is that Squill means by a model what its readers mean.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import pytest

from billing.pricing.breakdown import prorate
from billing.pricing.charge import parse_charge, price, price_events
from billing.pricing.document import calculate
from billing.pricing.money import from_minor, round_to_minor
from tests.billing.pricing.pricing_tools import amount, amount_of_events


def billed(members: dict[str, Any], quantity: str) -> Decimal:
    """Return what a line of dollars or euros says: the price, rounded once to cents."""
    priced = price(parse_charge(members), Decimal(quantity))
    return from_minor(round_to_minor(priced.exact, exponent=2), exponent=2)


def total(*lines: tuple[dict[str, Any], str]) -> object:
    """Return the total of an invoice of these charges and quantities."""
    document = [{"id": str(index), "charge": charge, "quantity": quantity} for index, (charge, quantity) in enumerate(lines)]
    return calculate({"currency": "USD", "lines": document})["total"]


def tiers(model: str, *rows: tuple[str | None, str], member: str = "unit_amount") -> dict[str, Any]:
    return {"model": model, "tiers": [{"up_to": up_to, member: price} for up_to, price in rows]}


class TestStripe:
    """docs.stripe.com: tiered pricing (two editions), quantity transformation."""

    FONTS = (("5", "7"), ("10", "6.5"), (None, "6"))
    UNITS = (("5", "5"), ("10", "4"), ("15", "3"), ("20", "2"), (None, "1"))

    @pytest.mark.parametrize(
        ("quantity", "stated"),
        [
            ("1", "7"),  # 1 x 7
            ("5", "35"),  # 5 x 7: the fifth is in the first tier
            ("6", "39"),  # 6 x 6.5
            ("20", "120"),  # 20 x 6
            ("25", "150"),  # 25 x 6
        ],
    )
    def test_volume_of_fonts(self, quantity: str, stated: str) -> None:
        assert amount(tiers("volume", *self.FONTS), quantity) == Decimal(stated)

    def test_five_fonts_cost_the_same_graduated(self) -> None:
        assert amount(tiers("graduated", *self.FONTS), "5") == 35  # 5 x 7

    @pytest.mark.parametrize(
        ("quantity", "stated"),
        [
            ("1", "5"),  # 1 x 5
            ("5", "25"),  # 5 x 5
            ("6", "24"),  # 6 x 4: one more makes all cheaper
            ("20", "40"),  # 20 x 2
            ("25", "25"),  # 25 x 1
        ],
    )
    def test_volume_in_five_tiers(self, quantity: str, stated: str) -> None:
        assert amount(tiers("volume", *self.UNITS), quantity) == Decimal(stated)

    def test_graduated_in_five_tiers(self) -> None:
        assert amount(tiers("graduated", *self.UNITS), "6") == 29  # 5 x 5 + 1 x 4

    @pytest.mark.parametrize(("quantity", "stated"), [("1", "5"), ("5", "25"), ("6", "30"), ("20", "100"), ("25", "125")])
    def test_per_unit(self, quantity: str, stated: str) -> None:
        assert amount({"model": "per_unit", "unit_amount": "5"}, quantity) == Decimal(stated)  # quantity x 5

    @pytest.mark.parametrize(("users", "stated"), [("1", "10"), ("3", "10"), ("5", "10"), ("6", "20"), ("7", "20")])
    def test_ten_for_every_five_users_or_a_part_of_them(self, users: str, stated: str) -> None:
        # 1 to 5 users are one unit of 10, 6 and 7 are two. As a conversion that rounds up, and as a package:
        assert amount({"model": "per_unit", "unit_amount": "10", "divide_by": "5", "divide_round": "up"}, users) == Decimal(
            stated
        )
        assert amount({"model": "package", "package_size": "5", "package_amount": "10"}, users) == Decimal(stated)

    def test_a_car_by_the_begun_hour(self) -> None:
        # 150 minutes ÷ 60 = 2.5, rounded up to 3 hours x 10
        assert amount({"model": "per_unit", "unit_amount": "10", "divide_by": "60", "divide_round": "up"}, "150") == 30


class TestLago:
    """getlago.com/docs/guide/plans/charges/charge-models."""

    def test_standard(self) -> None:
        assert amount({"model": "per_unit", "unit_amount": "0.05"}, "1000") == 50  # 1,000 x 0.05

    def test_volume_with_a_fee(self) -> None:
        members = tiers("volume", ("10000", "0.0010"), ("50000", "0.0008"), ("100000", "0.0006"), (None, "0.0004"))
        for tier in members["tiers"]:
            tier["flat_amount"] = "10"
        assert amount(members, "65000") == 49  # 65,000 x 0.0006 = 39, + 10

    def test_package_after_free_units(self) -> None:
        # 201 − 100 free = 101, which is two packages of 100: 2 x 5
        assert amount({"model": "package", "package_size": "100", "package_amount": "5", "free_units": "100"}, "201") == 10

    @pytest.mark.parametrize(
        ("events", "stated"),
        [
            (("200",), "0"),
            (("200", "100"), "0"),
            (("200", "100", "100"), "0"),
            (("200", "100", "100", "50"), "0.70"),  # the fourth: 0.10 + 50 x 1.2 % = 0.10 + 0.60
        ],
    )
    def test_percentage_after_three_free_events(self, events: tuple[str, ...], stated: str) -> None:
        members = {"model": "percentage", "rate": "1.2", "fixed_amount": "0.10", "free_events": "3"}
        assert amount_of_events(members, *events) == Decimal(stated)

    @pytest.mark.parametrize(
        ("events", "stated"),
        [
            (("500",), "205"),  # 500 x 1 % + 200
            (("500", "550"), "511"),  # 205 + 306; all in all 1,000 x 1 % + 200 + 50 x 2 % + 300
            (("500", "550", "4000"), "591"),  # 511 + 80; 1,000 x 1 % + 200 + 4,050 x 2 % + 300
        ],
    )
    def test_graduated_percentage(self, events: tuple[str, ...], stated: str) -> None:
        members = tiers("graduated_percentage", ("1000", "1"), ("10000", "2"), (None, "3"), member="rate")
        for tier, flat in zip(members["tiers"], ("200", "300", "400"), strict=True):
            tier["flat_amount"] = flat
        assert amount_of_events(members, *events) == Decimal(stated)


class TestAmazon:
    """aws.amazon.com: the pricing page of Lambda, the FAQ of S3 (one example as quoted in 2011)."""

    def test_lambda_three_million_of_a_second_at_512_mb(self) -> None:
        duration = {"model": "per_unit", "unit_amount": "0.00001667", "free_units": "400000"}
        requests = {"model": "per_unit", "unit_amount": "0.20", "divide_by": "1000000", "free_units": "1"}
        # 3,000,000 s x 0.5 GB = 1,500,000 GB-s, less 400,000 = 1,100,000 x 0.00001667 = 18.337
        assert billed(duration, "1500000") == Decimal("18.34")
        assert billed(requests, "3000000") == Decimal("0.40")  # 2 million x 0.20
        assert total((duration, "1500000"), (requests, "3000000")) == "18.74"

    def test_s3_march_with_100_gb_and_then_100_tb(self) -> None:
        # 52,900 GB-months: 1,024 x 0.140 = 143.36, 50,176 x 0.125 = 6,272.00, 1,700 x 0.110 = 187.00
        members = tiers("graduated", ("1024", "0.140"), ("51200", "0.125"), (None, "0.110"))
        assert billed(members, "52900") == Decimal("6602.36")

    def test_s3_express_requests_by_the_thousand(self) -> None:
        # aws.amazon.com/s3/faqs: 1,000,000 ÷ 1,000 x 0.00113 = 1.13; 9,000,000 ÷ 1,000 x 0.00003 = 0.27; 10 x 0.11 = 1.10
        assert billed({"model": "per_unit", "unit_amount": "0.00113", "divide_by": "1000"}, "1000000") == Decimal("1.13")
        assert billed({"model": "per_unit", "unit_amount": "0.00003", "divide_by": "1000"}, "9000000") == Decimal("0.27")
        assert billed({"model": "per_unit", "unit_amount": "0.11"}, "10") == Decimal("1.10")


class TestCloudflare:
    """developers.cloudflare.com/workers/platform/pricing: examples 1 to 4."""

    FEE: ClassVar[dict[str, Any]] = {"model": "flat", "amount": "5"}
    REQUESTS: ClassVar[dict[str, Any]] = {"model": "per_unit", "unit_amount": "0.30", "divide_by": "1000000", "free_units": "10"}
    CPU: ClassVar[dict[str, Any]] = {"model": "per_unit", "unit_amount": "0.02", "divide_by": "1000000", "free_units": "30"}

    @pytest.mark.parametrize(
        ("requests", "cpu_ms", "stated"),
        [
            ("15000000", "105000000", "8"),  # 5 + 5 x 0.30 = 1.50 + 75 x 0.02 = 1.50
            ("3000000", "21000000", "5"),  # 3 of 10 million requests, 21 of 30 million ms: 5 + 0 + 0
            ("720", "129600000", "6.99"),  # 720 x 180,000 = 129.6 million ms: 5 + 0 + 99.6 x 0.02 = 1.992
            ("100000000", "700000000", "45.4"),  # 5 + 90 x 0.30 = 27 + 670 x 0.02 = 13.40
        ],
    )
    def test_workers(self, requests: str, cpu_ms: str, stated: str) -> None:
        assert total((self.FEE, "1"), (self.REQUESTS, requests), (self.CPU, cpu_ms)) == stated


class TestOthers:
    """Chargebee, SendGrid, Oracle, Zuplo, Autumn, GitHub, Twilio, and two who compare the prices of others."""

    @pytest.mark.parametrize(("tokens", "stated"), [("10", "1.25"), ("1000000", "1.25"), ("1500000", "2.50")])
    def test_chargebee_packages_of_a_million_tokens(self, tokens: str, stated: str) -> None:
        # One package of 1.25 is begun by 10 tokens and filled by a million; 1.5 million begin a second.
        assert amount({"model": "package", "package_size": "1000000", "package_amount": "1.25"}, tokens) == Decimal(stated)

    def test_sendgrid_sample_invoice(self) -> None:
        # 108,471 − 100,000 = 8,471 x 0.00085 = 7.20035
        assert billed({"model": "per_unit", "unit_amount": "0.00085", "free_units": "100000"}, "108471") == Decimal("7.20")
        # 7,432 − 2,000 = 5,432 contacts: one begun package of 10,000
        assert billed({"model": "package", "package_size": "10000", "package_amount": "10", "free_units": "2000"}, "7432") == 10
        # Pro 100K less 15 %: 79.95 x 85 % = 67.9575
        assert billed({"model": "flat", "amount": "79.95", "percentage_discount": "15"}, "1") == Decimal("67.96")

    @pytest.mark.parametrize(
        ("model", "member", "amounts", "stated"),
        [
            ("graduated", "flat_amount", ("10", "20", "30"), "60"),  # 10 + 20 + 30: each slab that is entered
            ("graduated", "unit_amount", ("1", "2", "3"), "2250"),  # 250 x 1 + 250 x 2 + 500 x 3
            ("stairstep", "flat_amount", ("10", "20", "30"), "30"),  # the slab that 1,000 lies in
            ("volume", "unit_amount", ("1", "2", "3"), "3000"),  # 1,000 x 3
        ],
    )
    def test_oracle_slabs_of_a_count_of_1000(self, model: str, member: str, amounts: tuple[str, ...], stated: str) -> None:
        members = tiers(model, *zip(("250", "500", None), amounts, strict=True), member=member)
        assert amount(members, "1000") == Decimal(stated)

    def test_zuplo_tiers(self) -> None:
        rows = (("1000", "0.10"), ("10000", "0.05"), (None, "0.01"))
        assert amount(tiers("graduated", *rows), "15000") == 600  # 1,000 x 0.10 + 9,000 x 0.05 + 5,000 x 0.01
        assert amount(tiers("volume", *rows), "15000") == 150  # 15,000 x 0.01

    def test_autumn_tiers(self) -> None:
        # docs.useautumn.com/documentation/modelling-pricing/graduated-pricing
        # 1,000 x 0.01 + 9,000 x 0.008 + 5,000 x 0.005 = 10 + 72 + 25
        assert amount(tiers("graduated", ("1000", "0.01"), ("10000", "0.008"), (None, "0.005")), "15000") == 107

    @pytest.mark.parametrize(("seats", "stated"), [("5", "25"), ("10", "70"), ("50", "430")])
    def test_github_seats_of_2016(self, seats: str, stated: str) -> None:
        # gist.github.com/sgerrand/b15289a519221f8fcc22868e7ecd9e57, 11 May 2016
        # 25 for the first five, 9 for each further one: 25 + 5 x 9 = 70, 25 + 45 x 9 = 430
        members = tiers("graduated", ("5", "0"), (None, "9"))
        members["tiers"][0]["flat_amount"] = "25"
        assert amount(members, seats) == Decimal(stated)

    def test_github_seats_of_today(self) -> None:
        # github.com/orgs/community/discussions/22012, an answer of the staff: 10 x 4
        assert amount({"model": "per_unit", "unit_amount": "4"}, "10") == 40

    def test_github_prorates_a_licence_by_days(self) -> None:
        # github.com/github/docs/pull/6123, Managing billing for your enterprise, May 2021
        # 39 for a month of 31 days, of which 25 count: 39 x 25 ÷ 31 = 31.4516…
        licence = price(parse_charge({"model": "flat", "amount": "39"}), Decimal(1))
        assert round_to_minor(prorate(licence, Fraction(25, 31)).exact, exponent=2) == 3145

    def test_twilio_bills_a_call_of_80_seconds_as_two_minutes(self) -> None:
        # support.twilio.com/hc/en-us/articles/223132307: 80 / 60, rounded up
        assert amount({"model": "per_unit", "unit_amount": "1", "divide_by": "60", "divide_round": "up"}, "80") == 2

    @pytest.mark.parametrize(
        ("payment", "card", "bank_debit"),
        [
            ("100", "3.20", "0.80"),  # 100 x 2.9 % + 0.30; 100 x 0.8 %
            ("500", "14.80", "4.00"),  # 500 x 2.9 % + 0.30; 500 x 0.8 %
            ("1000", "29.30", "5.00"),  # 1,000 x 2.9 % + 0.30; 8.00 is cut to 5
        ],
    )
    def test_resellers_of_stripe_payments(self, payment: str, card: str, bank_debit: str) -> None:
        # support.serviceinvoicepro.com/payments/payment-fees
        cards = {"model": "percentage", "rate": "2.9", "fixed_amount": "0.30"}
        assert price_events(parse_charge(cards), [Decimal(payment)]).exact_amount == Decimal(card)
        debits = {"model": "percentage", "rate": "0.8", "per_transaction_max": "5"}
        assert price_events(parse_charge(debits), [Decimal(payment)]).exact_amount == Decimal(bank_debit)

    @pytest.mark.parametrize(
        ("gigabytes", "stated"),
        [
            ("1024", "0"),
            ("5120", "348"),  # 4,096 x 0.085 = 348.16
            ("10240", "783"),  # 9,216 x 0.085 = 783.36
            ("51200", "4060"),  # 783.36 + 40,960 x 0.080 = 4,060.16
            ("102400", "7132"),  # 4,060.16 + 51,200 x 0.060 = 7,132.16
            ("512000", "24540"),  # 4,060.16 + 102,400 x 0.060 + 358,400 x 0.040 = 24,540.16
        ],
    )
    def test_cloudfront_table_of_a_comparison_in_whole_dollars(self, gigabytes: str, stated: str) -> None:
        # smallestbusiness.com/compare/cloudfront-egress-cost, 15 June 2026: the free TB is the first part of the first 10 TB
        rows = (("1024", "0"), ("10240", "0.085"), ("51200", "0.080"), ("153600", "0.060"), (None, "0.040"))
        priced = price(parse_charge(tiers("graduated", *rows)), Decimal(gigabytes))
        assert round_to_minor(priced.exact, exponent=0) == int(stated)
