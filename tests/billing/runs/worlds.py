"""A small company with several months to bill: taxes, fees in advance, tiers, a late start, an end, and late usage."""

from tests.billing.builders import at, make_catalog, make_customer, subscribe, usage
from usage.ingestion import ingest

PLANS = """
meters:
  - {code: calls, name: Calls, event_type: call, aggregation: sum, value: n, dimensions: [region], unit: calls}
plans:
  - code: basic
    currency: EUR
    minimum_commitment: "12"
    charges:
      - {code: fee, name: Platform fee, model: flat, amount: "10", billed: in_advance}
      - code: calls
        name: Calls
        meter: calls
        model: graduated
        tiers: [{up_to: "100", unit_amount: "0"}, {up_to: null, unit_amount: "0.013"}]
  - code: volume
    currency: EUR
    charges:
      - {code: eu, name: Europe, meter: calls, filter: {region: eu}, model: per_unit, unit_amount: "0.02"}
      - code: calls
        name: Calls
        meter: calls
        model: volume
        tiers: [{up_to: "500", unit_amount: "0.5"}, {up_to: null, unit_amount: "0.1"}]
"""


def small_company(*, customers: int = 4) -> None:
    """Everything up to 1 April 2026, nothing billed yet."""
    make_catalog(PLANS)
    for number in range(customers):
        customer = make_customer(f"customer-{number}", tax_rate_pct="20" if number % 2 else "0")
        ends = "2026-03-11" if number == 3 else None
        subscribe(customer, "volume" if number % 3 == 2 else "basic", "2026-01-11" if number == 3 else "2026-01-01", ends=ends)
        events = [
            usage(
                customer,
                "call",
                50 * number + day,
                f"2026-{month:02d}-{day}",
                {"region": "eu"} if day == 20 else None,
                event_id=f"{number}-{month}-{day}",
            )
            for month in (1, 2, 3)
            for day in (12, 20, 27)
        ]
        ingest(events, now=at("2026-04-01"))
