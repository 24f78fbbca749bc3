"""What was put away cannot be corrected, and a correction beside it says so rather than counting wrong."""

from typing import Any

import pytest
from pytest_django import Settings

from customers.models import Customer
from tests.usage.builders import ACTOR, NOW, an_event, counts, rollups
from tests.usage.months import a_january_put_away, at, send
from usage.corrections import CorrectionError, bulk, replace_event, void_event
from usage.models import Correction, PutAwayMonth

pytestmark = pytest.mark.django_db

GONE = "The event 1 of test was put away with its month, and cannot be corrected any more."


@pytest.fixture(autouse=True)
def _january(settings: Settings) -> None:
    a_january_put_away(settings)


def everything() -> Any:
    return counts(), rollups(), Correction.objects.count()


def void(event_id: str, **fields: Any) -> Any:
    return void_event(source="test", event_id=event_id, reason="mistake", actor=ACTOR, now=NOW, **fields)


def test_void_of_an_event_put_away_is_refused() -> None:
    before = everything()

    with pytest.raises(CorrectionError, match=GONE) as refused:
        void("1")

    assert refused.value.code == "put_away"
    assert everything() == before


def test_replacement_of_an_event_put_away_is_refused() -> None:
    before = everything()

    with pytest.raises(CorrectionError, match=GONE) as refused:
        replace_event(source="test", event_id="1", replacement=an_event("1b"), reason="mistake", actor=ACTOR, now=NOW)

    assert refused.value.code == "put_away"
    assert everything() == before


def test_event_that_never_came_is_not_found_and_the_message_says_what_was_put_away() -> None:
    with pytest.raises(CorrectionError) as refused:
        void("never")

    assert refused.value.code == "not_found"
    assert str(refused.value) == (
        "No stored event of test has the id never. Events from before 2026-02-01 may have been put away with their month."
    )


def test_narrowed_caller_does_not_learn_whether_another_customers_event_was_put_away() -> None:
    other = Customer.objects.create(external_id="bolt", name="Bolt", timezone="UTC", created_at=NOW)

    for event_id in ("1", "never"):
        with pytest.raises(CorrectionError) as refused:
            void(event_id, customer_id=other.pk)
        assert refused.value.code == "not_found"


def test_bulk_void_that_reaches_into_a_month_put_away_is_refused() -> None:
    send("late", 3, "2026-01-10T06:00")
    before = everything()
    reaching = bulk.Selection(start=at("2026-01-31T23:00"), end=at("2026-02-02T00:00"), source="test")

    for call in (
        lambda: bulk.select(reaching),
        lambda: bulk.void_selected(reaching, token="0" * 32, reason="mistake", actor=ACTOR, now=NOW),
    ):
        with pytest.raises(CorrectionError, match="The events of 2026-01 were put away") as refused:
            call()
        assert refused.value.code == "put_away"

    assert everything() == before
    kept = bulk.Selection(start=at("2026-02-01T00:00"), end=at("2026-02-02T00:00"), source="test")
    assert bulk.select(kept).event_count == 1


def test_void_that_needs_what_is_still_being_counted_is_refused_for_now() -> None:
    send("late", 30, "2026-01-10T06:00")
    PutAwayMonth.objects.update(counted_at=None, event_count=None)
    before = everything()

    with pytest.raises(CorrectionError, match="The events of 2026-01 are being put away just now") as refused:
        void("late")

    assert refused.value.code == "put_away"
    assert everything() == before
