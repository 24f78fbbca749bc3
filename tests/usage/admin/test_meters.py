from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import AuditEvent
from tests.usage.builders import NOW, a_customer, a_meter, an_event, rollups
from usage.ingestion import ingest
from usage.models import Meter
from usage.services import update_meter

pytestmark = pytest.mark.django_db

FORM = {"code": "bytes", "name": "Bytes", "event_type": "api.call", "aggregation": "sum", "value_path": "bytes", "unit": "B"}


def _succeed(meter: Meter) -> str:
    return reverse("admin:usage_meter_succeed", args=[meter.pk])


def _page(meter: Meter) -> str:
    return reverse("admin:usage_meter_change", args=[meter.pk])


def _used() -> Meter:
    """A meter of bytes that has counted: 5 with the status 200, 7 with 500."""
    a_customer()
    meter = a_meter("old", name="Bytes", aggregation="sum", value_path="bytes", dimensions=["region"], unit="B")
    ingest([an_event("1", {"bytes": 5, "status": 200}), an_event("2", {"bytes": 7, "status": 500})], now=NOW)
    return meter


def test_meter_with_filters_counts_what_passes_them(finance: Client) -> None:
    _used()

    response = finance.post(reverse("admin:usage_meter_add"), FORM | {"filters": '{"status": {"in": [204, "200"]}}'})

    assert response.status_code == 302, response.content.decode()
    assert Meter.objects.get(code="bytes").filters == {"status": {"in": ["200", "204"]}}
    assert [rollup for rollup in rollups() if rollup[1] == "bytes"] == [("acme", "bytes", "2026-03-10", {}, 1, Decimal(5))]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ("status = 200", "not valid JSON"),
        ('["200"]', "must be an object, such as"),
        ('{"status": {"above": 1}}', "status: above is none of equals, not_equals"),
        ('{"bytes": {"gt": "many"}}', "bytes.gt: must be a number"),
        ('{"status": {"gt": 1}, "status": {"lt": 2}}', "status: is given twice"),
        ('{"status": {"equals": "a\\ud800"}}', "half of a surrogate pair"),
    ],
)
def test_wrong_filters_are_refused_beside_their_field(finance: Client, filters: str, message: str) -> None:
    response = finance.post(reverse("admin:usage_meter_add"), FORM | {"filters": filters})

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == ["filters"]
    assert message in response.context["adminform"].form.errors["filters"][0]
    assert filters == response.context["adminform"].form["filters"].value()
    assert (Meter.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_filters_are_part_of_the_meaning(finance: Client) -> None:
    unused = a_meter("unused", filters={"n": {"gte": "1.50"}})
    used = _used()

    # A bound is shown as it is kept, and never passes through a float.
    assert finance.get(_page(unused)).context["adminform"].form["filters"].value() == '{\n  "n": {\n    "gte": "1.5"\n  }\n}'
    change = {"code": "unused", "name": "unused", "event_type": "api.call", "aggregation": "count"}
    assert finance.post(_page(unused), change | {"filters": '{"n": {"gte": 1.10}}'}).status_code == 302
    unused.refresh_from_db()
    assert unused.filters == {"n": {"gte": "1.1"}}

    assert finance.post(_page(used), {"name": "Other", "unit": "B", "filters": '{"n": {"exists": true}}'}).status_code == 302
    used.refresh_from_db()
    assert (used.name, used.filters) == ("Other", {})


def test_meter_that_began_to_count_while_its_form_was_open_keeps_its_meaning(
    finance: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = a_meter("calls")

    def counted_meanwhile(**fields: Any) -> Any:
        a_customer()
        ingest([an_event("1")], now=NOW)
        return update_meter(**fields)

    monkeypatch.setattr("usage.admin.meters.update_meter", counted_meanwhile)
    form = {"code": "calls", "name": "Calls", "event_type": "other", "aggregation": "count", "dimensions": "", "filters": ""}
    page = finance.post(f"/admin/usage/meter/{meter.pk}/change/", form, follow=True)

    assert "event_type: is fixed: the meter has counted usage" in page.content.decode()
    meter.refresh_from_db()
    assert meter.event_type == "api.call"


def test_list_shows_filters_in_words_and_the_successor(finance: Client) -> None:
    filters = {"a": {"exists": False}, "b": {"gte": 1, "not_in": ["x", "y"]}, "c": {"equals": "eu", "exists": True}}
    first = a_meter("first", filters=filters)
    second = a_meter("second", predecessor=first, filters={"d": {"in": ["1"], "lt": "2", "not_equals": True}})

    page = finance.get(reverse("admin:usage_meter_changelist")).content.decode()

    assert "a is missing; b ≥ 1; b is none of x, y; c is eu; c is there" in page
    assert "d is one of 1; d &lt; 2; d is not true" in page
    assert f'<a href="{_page(second)}">second</a>' in page
    assert f'<a href="{_page(first)}">first</a>' in finance.get(_page(second)).content.decode()


def test_list_takes_the_same_queries_for_any_number_of_meters(
    finance: Client, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    for number in range(20):
        a_meter(f"meter-{number}")

    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]
        finance.get(reverse("admin:usage_meter_changelist"))


def test_meter_is_succeeded_by_one_that_begins_with_its_fields(finance: Client) -> None:
    earlier = _used()

    page = finance.get(_succeed(earlier))
    form = page.context["form"]
    assert {name: form[name].value() for name in form.fields} == {
        "name": "Bytes",
        "code": "",
        "unit": "B",
        "event_type": "api.call",
        "filters": "",
        "aggregation": "sum",
        "value_path": "bytes",
        "dimensions": "region",
    }
    assert "keeps its meaning and goes on counting for the plans that price it" in page.content.decode()
    assert Meter.objects.count() == 1

    sent = FORM | {"code": "new", "dimensions": "region", "filters": '{"status": {"equals": "200"}}'}
    response = finance.post(_succeed(earlier), sent)

    made = Meter.objects.get(code="new")
    assert (response.status_code, response["Location"]) == (302, _page(made))
    assert (made.predecessor, made.filters, made.dimensions) == (earlier, {"status": {"equals": "200"}}, ["region"])
    assert rollups() == [
        ("acme", "new", "2026-03-10", {"region": None}, 1, Decimal(5)),
        ("acme", "old", "2026-03-10", {"region": None}, 2, Decimal(12)),  # 5 + 7: goes on as it was
    ]
    audit = AuditEvent.objects.get(action="meter.succeeded")
    assert (audit.object_id, audit.after, audit.actor_kind) == ("old", {"successor": "new"}, "user")
    assert audit.actor_label == "finance@squill.example"


@pytest.mark.parametrize(
    ("sent", "field", "message"),
    [
        ({"code": ""}, "code", "required"),
        ({"code": "old"}, "code", "already exists"),
        ({"code": "not a code"}, "code", "must be 1 to 64 letters"),
        ({"code": "new", "value_path": ""}, "value_path", "must name the member"),
        ({"code": "new", "filters": "["}, "filters", "not valid JSON"),
        ({"code": "new", "dimensions": "region", "name": "Other"}, "__all__", "Nothing that the meter means would change"),
    ],
)
def test_a_refused_successor_writes_nothing(finance: Client, sent: dict[str, str], field: str, message: str) -> None:
    earlier = _used()
    before = AuditEvent.objects.count()

    response = finance.post(_succeed(earlier), FORM | sent)

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert message in response.context["form"].errors[field][0]
    assert message in response.content.decode()
    assert (Meter.objects.count(), AuditEvent.objects.count()) == (1, before)


def test_a_meter_is_succeeded_once(finance: Client) -> None:
    earlier = _used()
    assert _succeed(earlier) in finance.get(_page(earlier)).content.decode()
    assert finance.post(_succeed(earlier), FORM | {"code": "new"}).status_code == 302

    response = finance.post(_succeed(earlier), FORM | {"code": "newer", "value_path": "n"})

    assert response.context["form"].errors == {"code": ["new succeeds this meter already: let another meter succeed that one"]}
    assert sorted(Meter.objects.values_list("code", flat=True)) == ["new", "old"]
    assert _succeed(earlier) not in finance.get(_page(earlier)).content.decode()
    assert finance.get(reverse("admin:usage_meter_succeed", args=[earlier.pk + 1000])).status_code == 404


@pytest.mark.parametrize("permissions", [("view_meter",), ("view_meter", "change_meter"), ("view_meter", "add_meter")])
def test_succeeding_needs_the_permissions_to_make_and_to_change(
    clerk: Callable[..., Client], permissions: tuple[str, ...]
) -> None:
    meter = _used()
    client = clerk(*permissions)

    assert client.post(_succeed(meter), FORM | {"code": "new"}).status_code == 403
    assert Meter.objects.count() == 1
    assert _succeed(meter) not in client.get(_page(meter)).content.decode()
