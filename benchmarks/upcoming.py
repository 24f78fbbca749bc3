"""
The upcoming invoice of one customer with ten charges, who has been billed for 3, 12 or 36 months already.

Every settled period is rated again each time, since whatever was corrected in it is on the next invoice; so time grows with
the history. Usage is made by SQL, a rollup for each meter and day, among that of fifty other customers.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import django

django.setup()

from django.db import connection  # noqa: E402 (after set-up)
from django.test.utils import CaptureQueriesContext  # noqa: E402

from billing.catalog.apply import apply_catalog  # noqa: E402
from billing.catalog.document import read_catalog  # noqa: E402
from billing.invoicing.preview import upcoming_invoice  # noqa: E402
from billing.models import BillingPeriod, Subscription  # noqa: E402
from billing.runs.run import run_billing  # noqa: E402
from billing.subscriptions.services import start_subscription  # noqa: E402
from customers.services import create_customer  # noqa: E402
from squill.lib.actor import system  # noqa: E402
from usage.models import Meter, Rollup  # noqa: E402

BEGAN = datetime(2023, 3, 1, tzinfo=UTC)
STARTS = {3: datetime(2025, 12, 1, tzinfo=UTC), 12: datetime(2025, 3, 1, tzinfo=UTC), 36: BEGAN}  # by the months billed since
AS_OF, NOW = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 15, 12, tzinfo=UTC)
TIMES = 300
ACTOR = system("benchmark")
_METERS = [f"m{number}" for number in range(9)]
_GRADUATED = (
    'tiers: [{up_to: "1000", unit_amount: "0"}, {up_to: "50000", unit_amount: "0.002"}, {up_to: null, unit_amount: "0.001"}]'
)
_MODELS = (f"model: graduated, {_GRADUATED}", 'model: per_unit, unit_amount: "0.085"', f"model: volume, {_GRADUATED}")
CATALOG = "\n".join(
    [
        "meters:",
        *(f"  - {{code: {code}, event_type: {code}, aggregation: sum, value: n}}" for code in _METERS),
        "plans:",
        "  - code: bench",
        "    currency: EUR",
        "    charges:",
        '      - {code: fee, model: flat, amount: "49", billed: in_advance}',
        *(f"      - {{code: {code}, meter: {code}, {_MODELS[number % 3]}}}" for number, code in enumerate(_METERS)),
    ]
)
FILL = """
INSERT INTO usage_rollup (customer_id, meter_id, day, dimensions_key, dimensions, event_count, value_sum)
SELECT customer, m.id, day::date, '00000000-0000-0000-0000-000000000001', '{}', 10, 100.5 + customer
FROM generate_series(1, 50) AS customer, usage_meter m, generate_series(%s::date, %s::date, interval '1 day') AS day
"""


def main() -> None:
    apply_catalog(spec=read_catalog(CATALOG), actor=ACTOR, now=BEGAN)
    subscriptions = {months: subscribe(f"billed {months} months", starts) for months, starts in STARTS.items()}
    with connection.cursor() as cursor:
        cursor.execute(FILL, [BEGAN, NOW])
    run_billing(as_of=AS_OF, finalize=True, actor=ACTOR, now=AS_OF)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"{Meter.objects.count() + 1} charges, {Rollup.objects.count():,} rollups")
    for months, subscription_id in subscriptions.items():
        assert BillingPeriod.objects.filter(subscription=subscription_id, arrears_invoice__isnull=False).count() == months
        told(f"upcoming invoice after {months} billed months", lambda of=subscription_id: preview(of))


def subscribe(name: str, starts: datetime) -> int:
    customer = create_customer(external_id=name, name=name, email="", currency="EUR", actor=ACTOR, now=BEGAN)
    assert customer.pk <= 50
    return start_subscription(customer_id=customer.pk, plan_code="bench", starts_at=starts, actor=ACTOR, now=NOW).pk


def preview(subscription_id: int) -> None:
    subscription = Subscription.objects.select_related("customer", "plan_version__plan").get(pk=subscription_id)
    invoice = upcoming_invoice(subscription, now=NOW)
    assert invoice is not None
    assert len(invoice.lines) == 9, len(invoice.lines)  # usage only, and nothing to correct


def told(what: str, read: Callable[[], None]) -> None:
    """Print the median and the 95th percentile of some hundred readings, and the queries of one."""
    with CaptureQueriesContext(connection) as queries:
        read()
    took = []
    for _time in range(TIMES):
        started = time.perf_counter()
        read()
        took.append((time.perf_counter() - started) * 1000)
    p95 = statistics.quantiles(took, n=20)[-1]
    print(f"{what}: median {statistics.median(took):.1f} ms, p95 {p95:.1f} ms, {len(queries)} queries")


if __name__ == "__main__":
    main()
