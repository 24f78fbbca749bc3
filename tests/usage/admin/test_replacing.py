from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from customers.models import AuditEvent
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, counts, kept, recomputed, rollups
from usage.admin.identity import event_ref
from usage.corrections import void_event
from usage.ingestion import ingest
from usage.models import Correction, Event, QuarantinedEvent

pytestmark = pytest.mark.django_db

LIST = "admin:usage_event_changelist"
FORM = {
    "id": "1b",
    "source": "test",
    "subject": "acme",
    "type": "api.call",
    "time": "2026-03-10T13:00:00+01:00",
    "event_data": '{"bytes": 7.50}',
    "reason": "a wrong unit",
}


@pytest.fixture(autouse=True)
def events() -> None:
    """Events of 5 and 9 bytes of acme; another customer."""
    a_customer(keys=["acme-eu"])
    a_customer("bolt")
    a_meter("bytes", aggregation="sum", value_path="bytes", unit="B")
    ingest([an_event("1", {"bytes": 5}), an_event("2", {"bytes": 9})], now=NOW)


def _url(event_id: str = "1") -> str:
    return reverse("admin:usage_event_replace", args=[event_ref("test", event_id)])


def _written() -> tuple[Any, ...]:
    return counts(), rollups(), Correction.objects.count(), AuditEvent.objects.exclude(action__startswith="meter").count()


def test_form_begins_with_the_event_under_a_new_id(finance: Client) -> None:
    initial = finance.get(_url()).context["form"].initial

    assert initial == {
        "id": "1-corrected",
        "source": "test",
        "subject": "acme",
        "type": "api.call",
        "time": "2026-03-10T12:00:00Z",
        "event_data": '{\n  "bytes": 5\n}',
    }


def test_suggested_id_is_never_too_long(finance: Client) -> None:
    ingest([an_event("x" * 255)], now=NOW)
    ingest([an_event("y" * 255, {"bytes": 1})], now=NOW)

    assert finance.get(_url("y" * 255)).context["form"].initial["id"] == "y" * 245 + "-corrected"


def test_preview_shows_both_events_and_the_quantities_and_writes_nothing(finance: Client) -> None:
    before = _written()

    page = finance.post(_url(), FORM | {"step": "preview"})

    # 5 + 9 = 14; 7.5 + 9 = 16.5
    assert [(row["before"], row["after"]) for row in page.context["changes"]] == [("14 B", "16.5 B")]
    differing = {row.label: (row.first, row.second) for row in page.context["rows"] if row.differs}
    assert differing == {"Id": ("1", "1b"), "Data": ('{\n  "bytes": 5\n}', '{\n  "bytes": 7.5\n}')}
    assert "This cannot be taken back." in page.content.decode()
    assert _written() == before


def test_confirmed_replacement_counts_in_its_place(finance: Client) -> None:
    page = finance.post(_url(), FORM | {"step": "replace"}, follow=True)

    assert page.redirect_chain == [(reverse(LIST), 302)]
    assert "The event 1 is replaced by 1b." in page.content.decode()
    correction = Correction.objects.get()
    assert (correction.event_id, correction.replacement_id, correction.reason) == ("1", "1b", "a wrong unit")
    assert correction.actor_label == "finance@squill.example"
    assert [f"{row[5].normalize()}" for row in rollups()] == ["16.5"]
    assert kept() == recomputed()
    assert Event.objects.get(event_id="1b").occurred_at == NOW


def test_confirming_twice_replaces_once(finance: Client) -> None:
    finance.post(_url(), FORM | {"step": "replace"})
    before = _written()

    assert finance.post(_url(), FORM | {"step": "replace"}).status_code == 302

    assert _written() == before


def test_without_a_time_it_happened_when_the_first_did(finance: Client) -> None:
    finance.post(_url(), FORM | {"time": "", "step": "replace"})

    assert Event.objects.get(event_id="1b").occurred_at == NOW


def test_what_was_written_can_be_changed_after_the_preview(finance: Client) -> None:
    page = finance.post(_url(), FORM | {"step": "edit"})

    assert "is_preview" not in page.context
    assert page.context["form"]["event_data"].value() == '{"bytes": 7.50}'
    assert Correction.objects.count() == 0


@pytest.mark.parametrize("step", ["preview", "replace"])
@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"reason": " "}, "reason", "This field is required."),
        ({"reason": "x" * 501}, "reason", "at most 500 characters"),
        ({"id": "x" * 256}, "id", "has 256 characters: at most 255"),
        ({"id": "1"}, "id", "The replacement needs a source and id of its own."),
        ({"id": "2"}, "id", "Another event of test has the id 2 already."),
        ({"time": "yesterday"}, "time", "must be an instant with its offset"),
        ({"event_data": "{"}, "event_data", "This is not JSON"),
        ({"event_data": "[" * 100_000}, "event_data", "This is not JSON"),
        ({"event_data": "[1]"}, "event_data", "must be a JSON object"),
        ({"event_data": '{"bytes": 1' + "0" * 61 + "}"}, "event_data", "bytes: is a number of more than 60 digits"),
        ({"event_data": '{"bytes": "many"}'}, "__all__", "The replacement would not count"),
        ({"subject": "bolt"}, "__all__", "another customer"),
        ({"subject": "nobody"}, "__all__", "The replacement would not count"),
    ],
)
def test_refusal_stands_beside_its_field_and_writes_nothing(
    finance: Client, wrong: dict[str, str], field: str, message: str, step: str
) -> None:
    before = _written()

    page = finance.post(_url(), FORM | wrong | {"step": step})

    assert page.status_code == 200
    assert "is_preview" not in page.context
    assert list(page.context["form"].errors) == [field]
    assert message in page.context["form"].errors.as_text()
    assert _written() == before


def test_corrected_event_is_not_replaced_again(finance: Client) -> None:
    void_event(source="test", event_id="1", reason="sent twice", actor=ACTOR, now=NOW)
    before = _written()

    page = finance.post(_url(), FORM | {"step": "preview"})

    assert "was voided before (sent twice)" in page.context["form"].errors.as_text()
    assert _written() == before


def test_conflict_lends_its_content_and_is_returned_to(finance: Client) -> None:
    ingest([an_event("1", {"bytes": 50}, subject="acme-eu")], now=NOW)
    row = QuarantinedEvent.objects.get()

    initial = finance.get(_url(), {"by": row.pk}).context["form"].initial
    done = finance.post(f"{_url()}?by={row.pk}", FORM | {"step": "replace"})

    assert (initial["id"], initial["subject"], initial["event_data"]) == ("1-corrected", "acme-eu", '{\n  "bytes": 50\n}')
    assert done.headers["Location"] == reverse("admin:usage_quarantinedevent_change", args=[row.pk])


@pytest.mark.parametrize("by", ["0", "x", "٣", "9" * 30])
def test_conflict_of_another_event_lends_nothing(finance: Client, by: str) -> None:
    assert finance.get(_url(), {"by": by}).context["form"].initial["event_data"] == '{\n  "bytes": 5\n}'


def test_action_of_the_list_leads_to_the_page_of_one_event(finance: Client) -> None:
    one = {"action": "replace_selected", ACTION_CHECKBOX_NAME: [event_ref("test", "1")]}

    assert finance.post(reverse(LIST), one).headers["Location"] == _url()
    for refs in ([event_ref("test", "1"), event_ref("test", "2")], ["!"]):
        page = finance.post(reverse(LIST), one | {ACTION_CHECKBOX_NAME: refs}, follow=True)
        assert "Events are replaced one by one: choose one." in page.content.decode()


@pytest.mark.parametrize("ref", [event_ref("test", "9"), "nonsense"])
def test_event_that_is_not_there_is_not_found(finance: Client, ref: str) -> None:
    assert finance.get(reverse("admin:usage_event_replace", args=[ref])).status_code == 404


def test_others_replace_nothing(clerk: Callable[..., Client]) -> None:
    client = clerk("view_event", "change_quarantinedevent")
    before = _written()

    assert client.get(_url()).status_code == 403
    assert client.post(_url(), FORM | {"step": "replace"}).status_code == 403

    assert _written() == before
