from collections.abc import Callable

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from customers.models import AuditEvent
from tests.usage.builders import NOW, a_customer, a_meter, an_event, rollups
from usage.admin.identity import event_ref
from usage.ingestion import ingest
from usage.models import Correction

pytestmark = pytest.mark.django_db


@pytest.fixture
def chosen() -> dict[str, object]:
    """Two events of 5 and 9 bytes and the form that chooses them both in the list."""
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes", unit="B")
    ingest([an_event("1", {"bytes": 5}), an_event("2", {"bytes": 9}), an_event("3", {"bytes": 1})], now=NOW)
    return {"action": "void_selected", ACTION_CHECKBOX_NAME: [event_ref("test", "1"), event_ref("test", "2")]}


LIST = "admin:usage_event_changelist"


def test_void_shows_what_changes_before_it_asks_why(finance: Client, chosen: dict[str, object]) -> None:
    page = finance.post(reverse(LIST), chosen).content.decode()

    # 5 + 9 + 1 = 15
    assert "15 B" in page
    assert "1 B" in page
    assert Correction.objects.count() == 0
    assert [row[4] for row in rollups()] == [3]


def test_void_with_a_reason_is_done_and_listed(finance: Client, chosen: dict[str, object]) -> None:
    assert finance.post(reverse(LIST), chosen | {"reason": "a test run"}).status_code == 302

    assert [row[4] for row in rollups()] == [1]
    assert AuditEvent.objects.filter(action="event.voided", actor_label="finance@squill.example").count() == 2
    listed = finance.get(reverse("admin:usage_correction_changelist")).content.decode()
    assert "a test run" in listed
    rows = finance.get(reverse(LIST)).context["cl"].result_list
    assert {row.event_id: row.is_corrected for row in rows} == {"1": True, "2": True, "3": False}
    correction = Correction.objects.first()
    assert correction is not None
    assert finance.get(reverse("admin:usage_correction_change", args=[correction.pk])).status_code == 200
    assert finance.get(reverse("admin:usage_correction_add")).status_code == 403


def test_void_without_a_reason_asks_again(finance: Client, chosen: dict[str, object]) -> None:
    response = finance.post(reverse(LIST), chosen | {"reason": " "})

    assert response.status_code == 200
    assert Correction.objects.count() == 0


def test_names_that_stand_for_no_event_void_nothing(finance: Client, chosen: dict[str, object]) -> None:
    others = [event_ref("test", "9"), "!", "00000000-0000-0000-0000-000000000000"]

    assert finance.post(reverse(LIST), chosen | {ACTION_CHECKBOX_NAME: others}).status_code == 200

    assert Correction.objects.count() == 0


def test_list_says_which_events_count_though_others_happened_at_the_same_time(finance: Client, chosen: dict[str, object]) -> None:
    finance.post(reverse(LIST), chosen | {ACTION_CHECKBOX_NAME: [event_ref("test", "2")], "reason": "a test run"})

    rows = finance.get(reverse(LIST)).context["cl"].result_list
    assert {row.event_id: row.is_corrected for row in rows} == {"1": False, "2": True, "3": False}


def test_who_may_only_read_voids_nothing(clerk: Callable[..., Client], chosen: dict[str, object]) -> None:
    clerk("view_event").post(reverse(LIST), chosen | {"reason": "a test run"})

    assert Correction.objects.count() == 0
