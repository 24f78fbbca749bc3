from datetime import date
from decimal import Decimal

import pytest

from billing.models import PlanVersion
from billing.rating.daily import daily_quantities_by_charge
from billing.rating.terms import load_terms
from tests.billing.builders import make_catalog, make_customer, send_usage

pytestmark = pytest.mark.django_db

SPLIT = """
meters: [{code: calls, name: Calls, event_type: call, aggregation: sum, value: n, dimensions: [region]}]
plans:
  - code: split
    name: Split
    currency: EUR
    charges:
      - {code: fee, name: Fee, model: flat, amount: "1"}
      - {code: eu, name: Calls in the EU, meter: calls, filter: {region: eu}, model: per_unit, unit_amount: "1"}
      - {code: rest, name: Calls elsewhere, meter: calls, model: per_unit, unit_amount: "2"}
"""


def test_each_day_goes_to_the_charge_that_prices_it() -> None:
    make_catalog(SPLIT)
    customer = make_customer()
    for value, day, region in (
        (5, "2026-01-01", "eu"),
        (7, "2026-01-01", "us"),
        (3, "2026-01-03", "us"),
        (9, "2026-01-04", "eu"),
    ):
        send_usage(customer, "call", value, day, {"region": region})
    terms = load_terms(PlanVersion.objects.get().pk)
    found = daily_quantities_by_charge(terms, customer_id=customer.pk, first_day=date(2026, 1, 1), end_day=date(2026, 1, 4))
    # Three days, the fourth is no longer part of it; the fee has no meter and no days.
    assert found == {"eu": (Decimal(5), Decimal(0), Decimal(0)), "rest": (Decimal(7), Decimal(0), Decimal(3))}
