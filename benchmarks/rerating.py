"""
Re-rating a month of 10,000 customers with three meters each under another version, and what memory that takes.

The rows are made without the services, since nothing here is about making them: 930,000 rollups, one for each customer, meter
and day. Memory is that of the command, from outside: with 2,000 of the customers, then with 6,000, then with all, so that what
grew with them would show.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime

import django

django.setup()

from django.db import connection  # noqa: E402 (after set-up)

from billing.catalog.apply import apply_catalog  # noqa: E402
from billing.catalog.document import read_catalog  # noqa: E402
from billing.models import BillingPeriod, PlanVersion, Subscription, SubscriptionChange  # noqa: E402
from billing.rating.rerating import rerate  # noqa: E402
from customers.models import Customer  # noqa: E402
from squill.lib.actor import system  # noqa: E402
from usage.models import Meter, Rollup  # noqa: E402

STEPS = (2_000, 6_000, 10_000)
ALL = STEPS[-1]
FIRST, END = date(2026, 3, 1), date(2026, 4, 1)
STARTS, ENDS = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NOW = STARTS
ACTOR = system("benchmark")
CATALOG = """
meters:
  - {code: calls, event_type: call, aggregation: sum, value: n}
  - {code: traffic, event_type: traffic, aggregation: sum, value: gb}
  - {code: disk, event_type: disk, aggregation: sum, value: gb}
plans:
  - code: bench
    currency: EUR
    charges:
      - {code: fee, model: flat, amount: "49", billed: in_advance}
      - code: calls
        meter: calls
        model: graduated
        tiers: [{up_to: "1000", unit_amount: "0"}, {up_to: "50000", unit_amount: "0.002"}, {up_to: null, unit_amount: "0.001"}]
      - {code: traffic, meter: traffic, model: per_unit, unit_amount: "0.085"}
      - {code: disk, meter: disk, model: package, package_size: "100", package_amount: "1.50"}
"""
FILL = """
INSERT INTO usage_rollup (customer_id, meter_id, day, dimensions_key, dimensions, event_count, value_sum)
SELECT c.id, m.id, day::date, '00000000-0000-0000-0000-000000000001', '{}', 10, 100.5 + c.id %% 1000
FROM customers_customer c, usage_meter m, generate_series(%s::date, %s::date - 1, interval '1 day') AS day
WHERE c.id = ANY(%s)
"""


def main() -> None:
    apply_catalog(spec=read_catalog(CATALOG), actor=ACTOR, now=NOW)
    first = PlanVersion.objects.get()
    dearer = CATALOG.replace('"49"', '"45"').replace('"0.002"', '"0.003"')
    apply_catalog(spec=read_catalog(dearer), actor=ACTOR, now=NOW, new_versions=True)
    second = PlanVersion.objects.get(version=2)
    peaks = []
    made = 0
    for customers in STEPS:
        make_customers(first, range(made, customers))
        peaks.append(f"{peak_mib():.0f} MiB with {customers:,} customers")
        made = customers
    print(f"{BillingPeriod.objects.count():,} periods, {Meter.objects.count()} meters, {Rollup.objects.count():,} rollups")
    took = []
    for _time in range(3):
        started = time.perf_counter()
        found = sum(1 for period in rerate(version_id=second.pk, first_day=FIRST, end_day=END) if not period.error)
        took.append(time.perf_counter() - started)
        assert found == ALL, found
    print(f"{ALL:,} customers rated by two versions in {', '.join(f'{each:.1f}' for each in took)} s")
    print(f"peak of `manage.py rerate`: {', '.join(peaks)}")


def make_customers(version: PlanVersion, numbers: range) -> None:
    """Customers on the version since the first day, with one period and usage of every meter on each day."""
    customers = Customer.objects.bulk_create(
        Customer(external_id=f"c{number:05}", name=f"Customer {number}", currency="EUR", created_at=NOW) for number in numbers
    )
    subscriptions = Subscription.objects.bulk_create(
        Subscription(
            customer=customer,
            plan=version.plan,
            plan_version=version,
            external_id=f"{customer.external_id}:bench",
            started_on=FIRST,
            starts_at=STARTS,
            created_at=NOW,
        )
        for customer in customers
    )
    SubscriptionChange.objects.bulk_create(
        SubscriptionChange(
            subscription=subscription,
            kind=SubscriptionChange.Kind.START,
            effective_on=FIRST,
            plan_version=version,
            actor_kind=ACTOR.kind,
            actor_label=ACTOR.label,
            recorded_at=NOW,
        )
        for subscription in subscriptions
    )
    BillingPeriod.objects.bulk_create(
        BillingPeriod(
            subscription=subscription,
            plan_version=version,
            index=0,
            first_day=FIRST,
            end_day=END,
            whole_first_day=FIRST,
            whole_end_day=END,
            starts_at=STARTS,
            ends_at=ENDS,
            bills_in_advance=True,
        )
        for subscription in subscriptions
    )
    with connection.cursor() as cursor:
        cursor.execute(FILL, [FIRST, END, [customer.pk for customer in customers]])
        cursor.execute("VACUUM ANALYZE")


def peak_mib() -> float:
    """Run the command to its end and return the most memory that its process held."""
    command = [sys.executable, "manage.py", "rerate", "bench", "--from", FIRST.isoformat(), "--to", END.isoformat(), "--csv"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    assert status == 0
    return used.ru_maxrss / 1024  # KiB on Linux


if __name__ == "__main__":
    main()
