from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from customers.models import AuditEvent
from tests.usage.builders import NOW, an_event
from usage.admin import discarding
from usage.ingestion import ingest
from usage.models import QuarantinedEvent

pytestmark = pytest.mark.django_db

LIST = "admin:usage_quarantinedevent_changelist"


@pytest.fixture(autouse=True)
def rows() -> dict[str, QuarantinedEvent]:
    """Three events of an unknown subject, by their ids."""
    ingest([an_event(event_id) for event_id in ("q-1", "q-2", "q-3")], now=NOW)
    return {row.event_id: row for row in QuarantinedEvent.objects.all()}


def _states() -> dict[str, tuple[str, str]]:
    return {row.event_id: (row.status, row.discard_reason) for row in QuarantinedEvent.objects.all()}


def _chosen(rows: dict[str, QuarantinedEvent], *event_ids: str) -> dict[str, Any]:
    return {"action": "discard_selected", ACTION_CHECKBOX_NAME: [rows[event_id].pk for event_id in event_ids]}


WAITING = ("waiting", "")
DISCARDED = ("discarded", "a test run")


def test_chosen_events_are_shown_before_the_desk_asks_why(finance: Client, rows: dict[str, QuarantinedEvent]) -> None:
    page = finance.post(reverse(LIST), _chosen(rows, "q-1", "q-2")).content.decode()

    assert "q-1" in page
    assert "q-2" in page
    assert "q-3" not in page
    assert "Nobody will be billed for these events." in page
    assert _states() == {"q-1": WAITING, "q-2": WAITING, "q-3": WAITING}


def test_chosen_events_are_discarded_with_the_reason(finance: Client, rows: dict[str, QuarantinedEvent]) -> None:
    response = finance.post(reverse(LIST), _chosen(rows, "q-1", "q-2") | {"reason": " a test run "}, follow=True)

    assert "2 events are discarded." in response.content.decode()
    assert _states() == {"q-1": DISCARDED, "q-2": DISCARDED, "q-3": WAITING}
    audit = AuditEvent.objects.filter(action="quarantine.discarded")
    assert {(one.actor_label, one.after["discard_reason"]) for one in audit} == {("finance@squill.example", "a test run")}


def test_one_page_names_and_discards_only_so_many(
    finance: Client, rows: dict[str, QuarantinedEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discarding, "MOST", 2)

    page = finance.post(reverse(LIST), _chosen(rows, "q-1", "q-2", "q-3")).content.decode()
    finance.post(reverse(LIST), _chosen(rows, "q-1", "q-2", "q-3") | {"reason": "a test run"})

    assert "At most 2 are discarded at once" in page
    assert sorted(_states().values()) == [DISCARDED, DISCARDED, WAITING]


def test_page_of_one_event_asks_why_and_then_shows_the_reason(finance: Client, rows: dict[str, QuarantinedEvent]) -> None:
    url = reverse("admin:usage_quarantinedevent_discard", args=[rows["q-1"].pk])

    assert "q-1" in finance.get(url).content.decode()
    assert _states()["q-1"] == WAITING
    page = finance.post(url, {"reason": "a test run"}, follow=True)

    assert page.redirect_chain == [(reverse("admin:usage_quarantinedevent_change", args=[rows["q-1"].pk]), 302)]
    assert "a test run" in page.content.decode()
    assert _states() == {"q-1": DISCARDED, "q-2": WAITING, "q-3": WAITING}
    # Once discarded, there is nothing left to do with it.
    assert [button["title"] for button in page.context["actions_detail"]] == []


@pytest.mark.parametrize(("reason", "message"), [(" ", "This field is required"), ("x" * 501, "at most 500 characters")])
def test_bad_reason_is_refused_beside_its_field(
    finance: Client, rows: dict[str, QuarantinedEvent], reason: str, message: str
) -> None:
    for url, chosen in (
        (reverse(LIST), _chosen(rows, "q-1")),
        (reverse("admin:usage_quarantinedevent_discard", args=[rows["q-1"].pk]), {}),
    ):
        response = finance.post(url, chosen | {"reason": reason})

        assert response.status_code == 200
        assert message in str(response.context["form"].errors["reason"])
    assert _states()["q-1"] == WAITING
    assert AuditEvent.objects.filter(action="quarantine.discarded").count() == 0


def test_what_does_not_wait_any_more_is_not_discarded(finance: Client, rows: dict[str, QuarantinedEvent]) -> None:
    QuarantinedEvent.objects.filter(event_id="q-1").update(status="replayed")

    page = finance.post(reverse(LIST), _chosen(rows, "q-1") | {"reason": "a test run"}, follow=True)

    assert "None of these events waits any more" in page.content.decode()
    assert _states()["q-1"] == ("replayed", "")


def test_others_discard_nothing(clerk: Callable[..., Client], rows: dict[str, QuarantinedEvent]) -> None:
    client = clerk("view_quarantinedevent", "add_correction")
    url = reverse("admin:usage_quarantinedevent_discard", args=[rows["q-1"].pk])

    assert client.get(url).status_code == 403
    assert client.post(url, {"reason": "a test run"}).status_code == 403
    client.post(reverse(LIST), _chosen(rows, "q-1") | {"reason": "a test run"})

    assert _states() == {"q-1": WAITING, "q-2": WAITING, "q-3": WAITING}


@pytest.mark.parametrize("row_id", ["0", "nonsense"])
def test_row_that_is_not_there_is_not_found(finance: Client, row_id: str) -> None:
    assert finance.post(reverse("admin:usage_quarantinedevent_discard", args=[row_id]), {"reason": "x"}).status_code == 404
