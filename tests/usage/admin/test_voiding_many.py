from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.usage.builders import NOW, a_customer, a_meter, an_event, kept, recomputed, rollups
from usage.corrections import bulk
from usage.ingestion import ingest
from usage.models import Correction

pytestmark = pytest.mark.django_db

FORM = {
    "source": "batch",
    "subject": "",
    "start_0": "2026-03-10",
    "start_1": "12:00",
    "end_0": "2026-03-11",
    "end_1": "12:00",
    "reason": "a load test",
}
URL = "admin:usage_event_void_many"


@pytest.fixture(autouse=True)
def events() -> None:
    """Five events of the batch with 0 to 4 bytes, and one of another source."""
    a_customer()
    a_meter("bytes", aggregation="sum", value_path="bytes")
    a_meter("calls")
    ingest([an_event(str(n), {"bytes": n}, source="batch") for n in range(5)], now=NOW)
    ingest([an_event("other", {"bytes": 50})], now=NOW)


def _post(client: Client, **fields: str) -> Any:
    return client.post(reverse(URL), FORM | fields)


def _token(client: Client) -> str:
    return str(_post(client, step="look").context["token"])


def test_list_leads_to_the_page(finance: Client) -> None:
    page = finance.get(reverse("admin:usage_event_changelist"))

    assert [(button["title"], button["path"]) for button in page.context["actions_list"]] == [
        ("Void many…", "/admin/usage/event/void-many/")
    ]
    assert finance.get(reverse(URL)).status_code == 200


def test_dry_run_counts_and_sums_and_writes_nothing(finance: Client) -> None:
    before = rollups()

    page = _post(finance, step="look")

    # 0 + 1 + 2 + 3 + 4 = 10
    assert page.context["meters"] == [("bytes", "5", "10"), ("calls", "5", "5")]
    assert "Void 5 events" in page.content.decode()
    assert (rollups(), Correction.objects.count()) == (before, 0)


def test_confirmed_selection_is_voided(finance: Client) -> None:
    token = _token(finance)

    page = finance.post(reverse(URL), FORM | {"step": "void", "token": token}, follow=True)

    assert page.redirect_chain == [(reverse("admin:usage_event_changelist"), 302)]
    assert "5 events are voided." in page.content.decode()
    corrections = Correction.objects.all()
    assert {(one.batch, one.reason, one.actor_label) for one in corrections} == {(token, "a load test", "finance@squill.example")}
    assert sorted(one.event_id for one in corrections) == ["0", "1", "2", "3", "4"]
    assert kept() == recomputed()


def test_what_one_request_cannot_void_is_said_and_gone_on_with(finance: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "void_selected", partial(bulk.void_selected, most=3))
    token = _token(finance)

    first = _post(finance, step="void", token=token)

    assert "2 are left of those that were shown." in first.content.decode()
    assert first.context["token"] == token
    assert Correction.objects.count() == 3
    assert _post(finance, step="void", token=token).status_code == 302
    assert Correction.objects.count() == 5
    assert kept() == recomputed()


def test_other_events_than_were_shown_void_nothing(finance: Client) -> None:
    token = _token(finance)
    ingest([an_event("late", {"bytes": 1}, source="batch")], now=NOW)

    page = _post(finance, step="void", token=token)

    assert "look again first" in page.context["form"].errors.as_text()
    assert Correction.objects.count() == 0


@pytest.mark.parametrize("step", ["look", "void"])
@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"reason": " "}, "reason", "This field is required."),
        ({"source": ""}, "__all__", "Name a source or a subject"),
        ({"end_0": "2026-03-10"}, "__all__", "a time range that ends after it begins"),
        ({"start_0": ""}, "start", "This field is required."),
        ({"start_0": "soon"}, "start", "Enter a valid date"),
        ({"start_1": "noon"}, "start", "Enter a valid time"),
        ({"subject": "a\0"}, "subject", "Null characters are not allowed."),
        ({"token": "a\0"}, "token", "Null characters are not allowed."),
    ],
)
def test_refusal_stands_beside_its_field_and_voids_nothing(
    finance: Client, wrong: dict[str, str], field: str, message: str, step: str
) -> None:
    page = _post(finance, **(wrong | {"step": step}))

    assert page.status_code == 200
    assert list(page.context["form"].errors) == [field]
    assert message in page.context["form"].errors.as_text()
    assert Correction.objects.count() == 0


def test_selection_without_events_is_said(finance: Client) -> None:
    page = _post(finance, step="look", source="nowhere")

    assert page.context["form"].non_field_errors() == ["No event that still counts matches."]


def test_without_a_dry_run_nothing_is_voided(finance: Client) -> None:
    page = _post(finance, step="void")

    assert "look again first" in page.context["form"].errors.as_text()
    assert Correction.objects.count() == 0


def test_others_void_nothing(finance: Client, clerk: Callable[..., Client]) -> None:
    token = _token(finance)
    client = clerk("view_event", "change_quarantinedevent")

    assert client.get(reverse(URL)).status_code == 403
    assert _post(client, step="void", token=token).status_code == 403
    page = client.get(reverse("admin:usage_event_changelist"))
    assert page.context["actions_list"] == []

    assert Correction.objects.count() == 0
