"""The worked example of ADR 0015: a correction of a billed period is a difference on the next invoice."""

import pytest

from billing.models import InvoiceLine
from billing.reconciliation.report import reconcile
from squill.lib.decimals import plain
from tests.golden.books import ACTOR, bill, day, lines_of, sell, subscribe, use
from usage.corrections import Corrected, replace_event, void_event
from usage.corrections.finding import find_event
from usage.corrections.previewing import preview
from usage.ingestion import incoming_event
from usage.models import Correction, Event

pytestmark = pytest.mark.django_db


def _void(event_id: str) -> Corrected:
    return void_event(source="tests", event_id=event_id, reason="a test run", actor=ACTOR, now=day(2, 20))


def _sell_and_bill_january() -> None:
    sell('{code: calls, meter: calls, model: graduated, tiers: [{up_to: "1000", unit_amount: "0.10"}, {unit_amount: "0.05"}]}')
    subscribe()
    use("january", "900", day(1, 10))
    use("test-run", "300", day(1, 31))
    use("february", "200", day(2, 10))
    # 1000 * 0.10 + 200 * 0.05 = 110.00
    assert lines_of(bill(day(2, 1))) == [("usage", "calls", 1, "1200", 11000)]


def test_void_in_a_billed_period_is_taken_back_by_the_next_invoice() -> None:
    _sell_and_bill_january()

    shown = preview(find_event(source="tests", event_id="test-run"), lambda: _void("test-run"))

    assert [
        (change.meter, change.day.isoformat(), plain(change.before), plain(change.after)) for change in shown.effects.changes
    ] == [("calls", "2026-01-31", "300", "0")]
    # January is 900 * 0.10 = 90.00 without the test run, and 110.00 is billed.
    assert shown.effects.adjustments == (
        {
            "subscription": "acme:api:2026-01-01",
            "charge": "calls",
            "first_day": "2026-01-01",
            "end_day": "2026-02-01",
            "currency": "EUR",
            "before": "0",
            "after": "-20",
            "difference": "-20",
        },
    )
    assert Correction.objects.count() == 0
    assert reconcile().differences == ()

    _void("test-run")
    assert reconcile().differences == ()

    # February is 200 * 0.10 = 20.00, less 20.00.
    march = bill(day(3, 1))
    assert lines_of(march) == [("usage", "calls", 2, "200", 2000), ("adjustment", "calls", 1, "-300", -2000)]
    assert march.due_minor == 0
    assert reconcile().differences == ()
    assert [said for said in reconcile().pending if said.startswith("I3")] == []
    assert Event.objects.count() == 3  # the test run can still be read


def test_replacement_bills_the_difference_alone() -> None:
    _sell_and_bill_january()
    by = incoming_event(
        source="tests", event_id="test-run-2", event_type="api.call", subject="acme", occurred_at=None, data={"calls": 200}
    )

    replace_event(source="tests", event_id="test-run", replacement=by, reason="100 too many", actor=ACTOR, now=day(2, 20))

    # January is 1000 * 0.10 + 100 * 0.05 = 105.00, and 110.00 is billed.
    assert lines_of(bill(day(3, 1))) == [("usage", "calls", 2, "200", 2000), ("adjustment", "calls", 1, "-100", -500)]
    assert reconcile().differences == ()


def test_preview_leaves_what_was_to_come_anyway_out_of_the_difference() -> None:
    _sell_and_bill_january()
    use("late", "100", day(1, 20))  # 100 * 0.05 = 5.00 to come

    shown = preview(find_event(source="tests", event_id="test-run"), lambda: _void("test-run"))

    # 900 + 100 = 1000 calls, 100.00, of which 110.00 is billed.
    assert [(row["before"], row["after"], row["difference"]) for row in shown.effects.adjustments] == [("5", "-10", "-15")]
    assert InvoiceLine.objects.count() == 1
