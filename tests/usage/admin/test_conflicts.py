from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event
from usage.admin.identity import event_ref
from usage.corrections import replace_event, void_event
from usage.ingestion import ingest
from usage.models import QuarantinedEvent
from usage.services import discard_quarantined

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting() -> QuarantinedEvent:
    """An event of 9 bytes that waits, since one of 5 bytes has its id."""
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")
    ingest([an_event("1", {"bytes": 5})], now=NOW)
    ingest([an_event("1", {"bytes": 9})], now=NOW)
    return QuarantinedEvent.objects.get()


def _conflict(client: Client, row: QuarantinedEvent) -> Any:
    return client.get(reverse("admin:usage_quarantinedevent_change", args=[row.pk])).context.get("conflict")


def test_page_shows_both_events_and_the_way_to_replace_the_first(finance: Client, waiting: QuarantinedEvent) -> None:
    shown = _conflict(finance, waiting)

    assert shown["standing"] == "It counts."
    data = [(row.first, row.second) for row in shown["rows"] if row.differs]
    assert data == [('{\n  "bytes": 5\n}', '{\n  "bytes": 9\n}')]
    assert shown["replace"] == f"/admin/usage/event/{event_ref('test', '1')}/replace/?by={waiting.pk}"
    page = finance.get(reverse("admin:usage_quarantinedevent_change", args=[waiting.pk]))
    assert "Two events with one id" in page.content.decode()
    assert [button["title"] for button in page.context["actions_detail"]] == ["Discard"]


def test_page_says_how_the_first_was_corrected(finance: Client, waiting: QuarantinedEvent) -> None:
    void_event(source="test", event_id="1", reason="sent twice", actor=ACTOR, now=NOW)

    shown = _conflict(finance, waiting)

    assert (shown["standing"], shown["replace"]) == ("It was voided (sent twice).", "")


def test_page_says_what_the_first_was_replaced_by(finance: Client, waiting: QuarantinedEvent) -> None:
    replacement = an_event("1b", {"bytes": 9})
    replace_event(source="test", event_id="1", replacement=replacement, reason="wrong", actor=ACTOR, now=NOW)

    assert _conflict(finance, waiting)["standing"] == "It was replaced by 1b (wrong)."


def test_first_event_may_wait_or_be_discarded_itself(finance: Client) -> None:
    ingest([an_event("1", {"bytes": 5})], now=NOW)
    ingest([an_event("1", {"bytes": 9})], now=NOW)
    first, second = QuarantinedEvent.objects.order_by("pk")

    assert _conflict(finance, first) is None
    assert _conflict(finance, second)["standing"] == "It waits in quarantine too (unknown subject)."
    discard_quarantined(row_ids=[first.pk], reason="a test run", actor=ACTOR, now=NOW)
    assert _conflict(finance, second)["standing"] == "It was discarded (a test run)."


def test_others_are_not_led_to_replacing(clerk: Callable[..., Client], waiting: QuarantinedEvent) -> None:
    assert _conflict(clerk("view_quarantinedevent"), waiting)["replace"] == ""
