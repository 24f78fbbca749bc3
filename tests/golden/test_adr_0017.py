"""The worked example of ADR 0017: a month is put away, usage of it comes late and is billed, and the books agree."""

from datetime import date

import pytest
from pytest_django import Settings

from billing.reconciliation.report import reconcile
from tests.golden.books import ACTOR, bill, day, lines_of, sell, subscribe, use
from usage.corrections import CorrectionError, void_event
from usage.models import Event
from usage.retention import MonthReport, Outcome, put_away_due

pytestmark = pytest.mark.django_db

JANUARY = date(2026, 1, 1)


def test_usage_that_comes_after_its_month_was_put_away_is_billed_like_any_late_usage(settings: Settings) -> None:
    settings.SQUILL_EVENTS_RETENTION_MONTHS = 1
    sell('{code: calls, meter: calls, model: graduated, tiers: [{up_to: "1000", unit_amount: "0.10"}, {unit_amount: "0.05"}]}')
    subscribe()
    use("january", "600", day(1, 10))
    use("more", "300", day(1, 10))
    use("february", "200", day(2, 10))
    # 900 * 0.10 = 90.00
    assert lines_of(bill(day(2, 1))) == [("usage", "calls", 1, "900", 9000)]
    # February is open, and where customers live ahead of UTC it begins in January.
    held = "the period from 2026-02-01 of the subscription acme:api:2026-01-01 is not billed yet"
    assert put_away_due(now=day(3, 1), actor=ACTOR) == [MonthReport(month=JANUARY, outcome=Outcome.HELD, held_by=(held,))]
    bill(day(3, 1))

    assert put_away_due(now=day(3, 1), actor=ACTOR) == [MonthReport(month=JANUARY, outcome=Outcome.PUT_AWAY, event_count=2)]

    assert list(Event.objects.values_list("event_id", flat=True)) == ["february"]
    use("january", "600", day(1, 10))  # a duplicate still, though the event is gone
    use("late", "300", day(1, 10))
    # January is 1000 * 0.10 + 200 * 0.05 = 110.00, and 90.00 is billed.
    assert lines_of(bill(day(4, 1))) == [("adjustment", "calls", 1, "300", 2000)]
    with pytest.raises(CorrectionError, match="was put away with its month"):
        void_event(source="tests", event_id="more", reason="a test run", actor=ACTOR, now=day(4, 2))
    # The late one is stored, and can be taken back: 900 * 0.10 = 90.00, and 110.00 is billed.
    void_event(source="tests", event_id="late", reason="a test run", actor=ACTOR, now=day(4, 2))
    use("april", "200", day(4, 10))
    assert lines_of(bill(day(5, 1))) == [("usage", "calls", 4, "200", 2000), ("adjustment", "calls", 1, "-300", -2000)]
    assert reconcile().differences == ()
    assert [said for said in reconcile().pending if said.startswith("I3")] == []
