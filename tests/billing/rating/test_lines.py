"""From real events to rated lines: allotment, tiers at their bounds, proration, commitments."""

from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import BillingPeriod
from billing.rating.lines import RatedPeriod
from billing.rating.subscription import rate_boundary
from billing.rating.terms import TermsBook
from tests.billing.builders import CALLS, at, bill, invoices, lines, make_catalog, make_customer, send_usage, subscribe
from tests.billing.rating.rating_tools import rated

pytestmark = pytest.mark.django_db

BY_REGION = """
meters:
  - {code: gb, name: Storage, event_type: sample, aggregation: sum, value: n, dimensions: [region, tier], unit: GB}
  - {code: peak, name: Peak, event_type: sample, aggregation: max, value: n}
  - {code: other, name: Other, event_type: other, aggregation: count}
plans:
  - code: regions
    currency: EUR
    charges:
      - {code: eu-hot, meter: gb, filter: {region: eu, tier: hot}, model: per_unit, unit_amount: "2"}
      - {code: eu-cold, meter: gb, filter: {region: eu, tier: cold}, model: per_unit, unit_amount: "1"}
      - {code: peak, meter: peak, model: per_unit, unit_amount: "0.5"}
"""
REST = '      - {code: rest, meter: gb, model: per_unit, unit_amount: "3"}\n'


def tiered(model: str) -> str:
    return f"""
meters: [{{code: u, name: U, event_type: u, aggregation: sum, value: n}}]
plans:
  - code: {model}
    currency: EUR
    charges:
      - code: u
        meter: u
        model: {model}
        tiers: [{{up_to: "10", unit_amount: "1"}}, {{up_to: "20", unit_amount: "0.5"}}, {{up_to: null, unit_amount: "0.1"}}]
"""


def amounts_of(found: RatedPeriod) -> dict[str, tuple[Decimal, Decimal]]:
    return {line.charge_code: (line.quantity, line.exact_amount) for line in found.lines}


def test_each_piece_of_usage_goes_to_the_charge_whose_filter_it_has_and_the_rest_to_the_one_without() -> None:
    make_catalog(BY_REGION + REST)
    customer = make_customer()
    subscription = subscribe(customer, "regions")
    send_usage(customer, "sample", 10, "2026-01-02", {"region": "eu", "tier": "hot"})
    send_usage(customer, "sample", "2.5", "2026-01-03", {"region": "eu", "tier": "hot"})
    send_usage(customer, "sample", 4, "2026-01-04", {"region": "eu", "tier": "cold"})
    send_usage(customer, "sample", 5, "2026-01-05", {"region": "us", "tier": "hot"})
    send_usage(customer, "sample", 6, "2026-01-06")  # no dimensions at all
    found = rated(subscription)
    assert amounts_of(found) == {
        "eu-hot": (Decimal("12.5"), Decimal(25)),  # 12.5 x 2
        "eu-cold": (Decimal(4), Decimal(4)),
        "rest": (Decimal(11), Decimal(33)),  # (5 + 6) x 3
        "peak": (Decimal(10), Decimal(5)),  # the largest single value, over all dimensions
    }
    assert found.unpriced == ()


def test_usage_that_no_charge_takes_is_reported_and_not_dropped() -> None:
    make_catalog(BY_REGION)
    customer = make_customer()
    subscription = subscribe(customer, "regions")
    send_usage(customer, "sample", 5, "2026-01-05", {"region": "us"})
    send_usage(customer, "other", 1, "2026-01-05")  # a meter that the plan does not name is not its business
    (piece,) = rated(subscription).unpriced
    assert (piece.dimensions, piece.value_sum) == ({"region": "us", "tier": None}, Decimal(5))


def test_a_dimension_value_is_compared_as_it_was_sent() -> None:
    make_catalog(BY_REGION)
    customer = make_customer()
    subscription = subscribe(customer, "regions")
    send_usage(customer, "sample", 5, "2026-01-05", {"region": "EU", "tier": "hot"})
    assert [piece.dimensions["region"] for piece in rated(subscription).unpriced] == ["EU"]


@pytest.mark.parametrize(
    ("quantity", "graduated", "volume"),
    [
        # graduated: the first 10 at 1, the next 10 at 0.5, the rest at 0.1; volume: all at the price of the tier reached.
        ("10", "10", "10"),
        ("10.5", "10.25", "5.25"),  # 10 + 0.5 x 0.5 · 10.5 x 0.5
        ("20", "15", "10"),  # 10 + 5 · 20 x 0.5
        ("20.000000000001", "15.0000000000001", "2.0000000000001"),  # + 10⁻¹² x 0.1 · x 0.1
        ("21", "15.1", "2.1"),
        ("0", "0", "0"),
    ],
)
def test_tiers_at_their_bounds_from_real_events(quantity: str, graduated: str, volume: str) -> None:
    early = Decimal(int(Decimal(quantity)) // 2)
    for model, expected in (("graduated", graduated), ("volume", volume)):
        make_catalog(tiered(model))
        customer = make_customer(f"{model}-customer")
        subscription = subscribe(customer, model)
        for when, part in (("2026-01-01T00:00:00Z", early), ("2026-01-31T23:59:59.999999Z", Decimal(quantity) - early)):
            send_usage(customer, "u", f"{part:f}", when)
        send_usage(customer, "u", "77", "2026-02-01T00:00:00Z")  # the next period's
        assert rated(subscription).lines[0].exact_amount == Decimal(expected)


def test_a_fixed_fee_of_a_part_of_a_period_is_prorated_by_days() -> None:
    make_catalog()
    customer = make_customer()
    subscribe(customer, starts="2026-01-22")
    send_usage(customer, "call", 300, "2026-01-25")
    bill("2026-02-01")
    (invoice,) = invoices()
    # 10 x 10/31 = 3.2258…; the 100 free calls are not prorated: (300 − 100) x 0.01 = 2
    assert lines(invoice)[0][3] == 323
    assert lines(invoice)[1] == ("calls", Decimal(300), Decimal(2), 200)
    assert invoice.lines.get(charge_code="fee").detail == "10 of 31 days"
    assert (invoice.subtotal_minor, invoice.first_day.isoformat(), invoice.last_day.isoformat()) == (
        523,
        "2026-01-22",
        "2026-01-31",
    )


def test_a_minimum_commitment_is_trued_up_and_prorated() -> None:
    make_catalog(CALLS.replace("currency: EUR", 'currency: EUR\n    minimum_commitment: "62"'))
    customer = make_customer()
    subscribe(customer, starts="2026-01-17")
    send_usage(customer, "call", 1100, "2026-01-20")
    bill("2026-03-01")
    january, february = invoices()
    # 15 of 31 days: fee 10 x 15/31 = 4.8387 → 4.84; calls 10.00; committed 62 x 15/31 = 30.00; 30.00 − 14.84 = 15.16
    assert [line[3] for line in lines(january)] == [484, 1516, 1000]
    assert january.subtotal_minor == 3000
    assert [(line[0], line[3]) for line in lines(february)] == [("fee", 1000), (":minimum-commitment", 5200)]


def test_a_commitment_that_is_reached_adds_no_line() -> None:
    make_catalog(CALLS.replace("currency: EUR", 'currency: EUR\n    minimum_commitment: "10"'))
    subscribe(make_customer())
    bill("2026-02-01")
    assert [line[0] for line in lines(invoices()[0])] == ["fee"]


def test_a_charge_that_was_not_used_and_costs_nothing_gives_no_line_but_a_flat_tier_does() -> None:
    first_tier_fee = CALLS.replace('unit_amount: "0"}', 'unit_amount: "0", flat_amount: "3"}')
    make_catalog(first_tier_fee)
    subscribe(make_customer())
    bill("2026-02-01")
    assert lines(invoices()[0])[1] == ("calls", Decimal(0), Decimal(3), 300)


def test_an_exact_amount_with_more_decimals_than_the_column_is_billed_once_and_for_all() -> None:
    # 1 byte in GiB has 30 decimals: 1/2^30 = 0.000000000931322574615478515625; times 0.023 it has 33.
    make_catalog(
        """
meters: [{code: bytes, name: Bytes, event_type: u, aggregation: sum, value: n}]
plans: [{code: basic, currency: EUR, charges: [
  {code: fee, model: flat, amount: "1"},
  {code: bytes, meter: bytes, model: per_unit, unit_amount: "0.023", divide_by: "1073741824"}]}]
"""
    )
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "u", 1_000_000_000_001, "2026-01-05")
    bill("2026-03-01")
    january, february = invoices()
    line = january.lines.get(charge_code="bytes")
    # 1000000000001 x 0.023 ÷ 2^30 = 21.42041921617542…
    assert Fraction(line.exact_amount).limit_denominator(10**12) - Fraction(23 * 1_000_000_000_001, 1000 * 2**30) < Fraction(
        1, 10**10
    )
    assert line.amount_minor == 2142
    assert [entry[0] for entry in lines(february)] == ["fee"]  # no correction of nothing


def test_rating_asks_as_many_queries_for_a_year_as_for_a_month() -> None:
    make_catalog()
    customer = make_customer()
    subscription = subscribe(customer, now=at("2026-12-15"))
    asked = []
    for month in ("2026-02-01", "2026-12-01"):
        bill(month)
        book = TermsBook()
        book.of(subscription.plan_version_id)
        with CaptureQueriesContext(connection) as queries:
            rate_boundary(subscription, boundary_at=at(month), terms_book=book, ending=None, beginning=None)
        asked.append(len(queries))
    assert BillingPeriod.objects.filter(arrears_billed_at__isnull=False).count() == 11
    assert asked == [5, 5]
