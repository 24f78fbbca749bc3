"""
Reading usage: the rollups that 10 million events of 10,000 customers and 3 meters leave in a month.

The rollups are made by SQL, without the events, since no figure here reads any: 930,000 rows of about 11 events each.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random

import django

django.setup()

from django.db import connection  # noqa: E402 (after set-up)

from squill.lib.actor import system  # noqa: E402
from usage import selectors  # noqa: E402
from usage.models import Meter, Rollup  # noqa: E402
from usage.services import create_meter  # noqa: E402

CUSTOMERS = 10_000
FIRST, END = date(2026, 3, 1), date(2026, 4, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FILL = """
INSERT INTO usage_rollup (customer_id, meter_id, day, dimensions_key, dimensions, event_count, value_sum)
SELECT customer, meter, day::date, '00000000-0000-0000-0000-000000000001', '{}', 10 + customer %% 2, 100.5 + customer
FROM generate_series(1, %s) AS customer, unnest(%s::bigint[]) AS meter,
     generate_series(%s::date, %s::date - 1, interval '1 day') AS day
"""
MONTH = """
SELECT customer_id, meter_id, sum(event_count), sum(value_sum) FROM usage_rollup
WHERE day >= %s AND day < %s GROUP BY customer_id, meter_id
"""


def main() -> None:
    meters = [
        create_meter(
            code=f"m{number}",
            name=f"Meter {number}",
            event_type="call",
            aggregation="sum",
            value_path="n",
            actor=system("b"),
            now=NOW,
        )
        for number in range(3)
    ]
    with connection.cursor() as cursor:
        cursor.execute(FILL, [CUSTOMERS, [meter.pk for meter in meters], FIRST, END])
        cursor.execute("VACUUM ANALYZE usage_rollup")
        cursor.execute("SELECT sum(event_count) FROM usage_rollup")
        events = int(cursor.fetchone()[0])
    print(f"{Rollup.objects.count():,} rollups, of {events:,} events that one meter each counts")
    customers = Random(1)  # noqa: S311 (no secret)
    told("one customer's month by day, one meter", lambda: month_by_day(customers.randint(1, CUSTOMERS), meters[1]), 200)
    told("one customer's month, all meters", lambda: whole_month(customers.randint(1, CUSTOMERS)), 200)
    told(f"a month's totals of {CUSTOMERS:,} customers by 3 meters", month_of_all, 5)


def month_by_day(customer_id: int, meter: Meter) -> None:
    assert len(selectors.daily_quantities(customer_id=customer_id, meter=meter, first_day=FIRST, end_day=END)) == 31


def whole_month(customer_id: int) -> None:
    assert len(selectors.metered_usage_by_span(customer_id=customer_id, spans=[(FIRST, END)])[0]) == 3


def month_of_all() -> None:
    with connection.cursor() as cursor:
        cursor.execute(MONTH, [FIRST, END])
        assert len(cursor.fetchall()) == CUSTOMERS * 3


def told(what: str, read: Callable[[], None], times: int) -> None:
    """Print the median and the slowest of some readings."""
    took = []
    for _time in range(times):
        started = time.perf_counter()
        read()
        took.append((time.perf_counter() - started) * 1000)
    print(f"{what}: median {statistics.median(took):.1f} ms, slowest {max(took):.1f} ms")


if __name__ == "__main__":
    main()
