"""The worked examples of ADR 0007: what arrives late is the difference between metered and billed."""

import pytest

from billing.reconciliation.report import reconcile
from tests.golden.books import bill, day, lines_of, sell, subscribe, use

pytestmark = pytest.mark.django_db


def test_late_usage_is_a_line_on_the_next_invoice() -> None:
    sell('{code: calls, meter: calls, model: graduated, tiers: [{up_to: "1000", unit_amount: "0.10"}, {unit_amount: "0.05"}]}')
    subscribe()
    use("january", "900", day(1, 10))
    use("february", "200", day(2, 10))
    january = bill(day(2, 1))
    assert lines_of(january) == [("usage", "calls", 1, "900", 9000)]  # 900 * 0.10 = 90.00

    use("late", "300", day(1, 31))
    assert reconcile().pending[0].startswith("I3 acme:api:2026-01-01 2026-01-01 calls: 20 not billed yet")

    # January is now 1000 * 0.10 + 200 * 0.05 = 110.00, of which 90.00 is billed: 20.00, not 300 * 0.10.
    assert lines_of(bill(day(3, 1))) == [("usage", "calls", 2, "200", 2000), ("adjustment", "calls", 1, "300", 2000)]
    january.refresh_from_db()
    assert january.due_minor == 9000
    assert [said for said in reconcile().pending if said.startswith("I3")] == []


def test_a_negative_difference_that_does_not_fit_waits() -> None:
    sell('{code: calls, meter: calls, model: volume, tiers: [{up_to: "1000", unit_amount: "0.10"}, {unit_amount: "0.05"}]}')
    subscribe()
    use("january", "1000", day(1, 10))
    use("february", "100", day(2, 10))
    use("march", "400", day(3, 10))
    assert bill(day(2, 1)).due_minor == 10000  # 1000 * 0.10

    use("late", "500", day(1, 31))  # 1500 * 0.05 = 75.00: the late calls make January 25.00 cheaper

    # February is 100 * 0.10 = 10.00, and an invoice is never negative.
    assert lines_of(bill(day(3, 1))) == [("usage", "calls", 2, "100", 1000)]
    # March is 400 * 0.10 = 40.00, less 25.00.
    march = bill(day(4, 1))
    assert lines_of(march) == [("usage", "calls", 3, "400", 4000), ("adjustment", "calls", 1, "500", -2500)]
    assert march.due_minor == 1500
