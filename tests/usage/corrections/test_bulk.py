from datetime import timedelta
from decimal import Decimal

import pytest

from customers.models import AuditEvent
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, kept, recomputed, rollups
from usage.corrections import CorrectionError, void_event
from usage.corrections.bulk import MeterSums, Selection, Voided, select, void_selected
from usage.ingestion import ingest
from usage.models import Correction

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
OF_ACME = Selection(start=NOW, end=NOW + DAY, source="batch", subject="acme")


@pytest.fixture(autouse=True)
def events() -> None:
    """Seven events of the batch for acme with 0 to 6 bytes; one of another source, subject, and time each."""
    a_customer()
    a_customer("bolt")
    a_meter("bytes", aggregation="sum", value_path="bytes")
    a_meter("calls")
    ingest([an_event(str(n), {"bytes": n}, source="batch") for n in range(7)], now=NOW)
    ingest([an_event("source", {"bytes": 50})], now=NOW)
    ingest([an_event("subject", {"bytes": 50}, source="batch", subject="bolt")], now=NOW)
    ingest([an_event("end", {"bytes": 50}, source="batch", occurred_at=NOW + DAY)], now=NOW)
    ingest([an_event("before", {"bytes": 50}, source="batch", occurred_at=NOW - timedelta(seconds=1))], now=NOW)


def void(token: str, **fields: int) -> Voided:
    return void_selected(OF_ACME, token=token, reason="test run", actor=ACTOR, now=NOW, **fields)


def test_dry_run_counts_what_would_go_and_writes_nothing() -> None:
    before = rollups()

    selected = select(OF_ACME)

    # 0 + 1 + … + 6 = 21
    assert selected.event_count == 7
    assert selected.meters == (MeterSums("bytes", 7, Decimal(21)), MeterSums("calls", 7, Decimal(7)))
    assert (rollups(), Correction.objects.count()) == (before, 0)


def test_what_was_shown_is_voided_in_batches_and_goes_on_where_it_stopped() -> None:
    token = select(OF_ACME).token

    assert void(token, most=4, batch=3) == Voided(4, 3)
    assert Correction.objects.filter(batch=token).count() == 4
    assert kept() == recomputed()
    assert void(token, most=4, batch=3) == Voided(3, 0)
    assert void(token) == Voided(0, 0)

    # What is left: 50 of another source on the same day and 50 a second before; 50 a day later; 50 of bolt.
    assert [row[4:6] for row in rollups() if row[1] == "bytes"] == [(2, Decimal(100)), (1, Decimal(50)), (1, Decimal(50))]
    assert kept() == recomputed()
    audits = AuditEvent.objects.filter(action="events.voided", object_id=token).order_by("pk")
    assert [audit.after["events"] for audit in audits] == [3, 1, 3]
    assert select(OF_ACME).event_count == 0


@pytest.mark.parametrize("change", ["late event", "voided event"])
def test_other_events_than_were_shown_void_nothing(change: str) -> None:
    token = select(OF_ACME).token
    if change == "late event":
        ingest([an_event("late", {"bytes": 1}, source="batch")], now=NOW)
    else:
        void_event(source="batch", event_id="1", reason="x", actor=ACTOR, now=NOW)
    before = rollups(), Correction.objects.count()

    with pytest.raises(CorrectionError) as refused:
        void(token)

    assert refused.value.code == "changed"
    assert (rollups(), Correction.objects.count()) == before


def test_token_is_for_its_selection_alone() -> None:
    token = select(Selection(start=NOW, end=NOW + DAY, source="batch")).token

    with pytest.raises(CorrectionError):
        void(token)

    assert Correction.objects.count() == 0


@pytest.mark.parametrize("selection", [Selection(start=NOW, end=NOW, source="batch"), Selection(start=NOW, end=NOW + DAY)])
def test_selection_needs_a_range_and_whose_events(selection: Selection) -> None:
    with pytest.raises(CorrectionError) as refused:
        select(selection)
    assert refused.value.code == "bad_range"


def test_too_many_events_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.corrections.bulk.MOST", 6)

    with pytest.raises(CorrectionError) as refused:
        select(OF_ACME)

    assert refused.value.code == "too_many"
