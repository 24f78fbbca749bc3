"""A catalogue file against the database: idempotent, all or nothing, and never a silent change of a published price (I8)."""

import json
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from billing.catalog.apply import UnpublishedChanges, differences
from billing.catalog.plans import CatalogError, published_version
from billing.catalog.specs import export_catalog
from billing.models import Charge, Plan, PlanVersion
from customers.models import AuditEvent
from tests.billing.builders import CALLS, assault, make_catalog, make_customer, row_counts, sql, subscribe
from usage.models import Meter

pytestmark = pytest.mark.django_db

DEARER = CALLS.replace('unit_amount: "0.01"', 'unit_amount: "0.02"')
EVERYTHING = """
meters:
  - {code: calls, name: Calls & co, event_type: call, aggregation: count}
  - {code: storage, name: Storage, event_type: sample, aggregation: max, value: size.gb, dimensions: [region, class], unit: GB}
plans:
  - code: big
    name: "Big: every member"
    currency: KWD
    interval: quarterly
    anchor: anniversary
    minimum_commitment: "600.125"
    charges:
      - {code: fee, name: Fee, model: flat, amount: "499.5", billed: in_advance}
      - {code: eu, name: Europe, meter: storage, filter: {region: eu, class: "01"}, model: per_unit,
         unit_amount: "0.000000000001"}
      - {code: us, name: US, meter: storage, filter: {region: "on"}, model: per_unit, unit_amount: "2", minimum_amount: "5"}
      - {code: rest, name: Rest, meter: storage, model: package, package_size: "10", package_amount: "1",
         round: down, free_units: "3"}
      - {code: steps, name: Steps, meter: calls, model: volume,
         tiers: [{up_to: "10", unit_amount: "1", flat_amount: "2"}, {up_to: null, unit_amount: "0.5"}], charge_when_unused: false}
"""


def test_the_first_time_everything_is_created_and_the_second_time_nothing_changes() -> None:
    first = make_catalog()
    assert [(change.kind, change.what, change.code) for change in first] == [
        ("created", "meter", "calls"),
        ("created", "plan", "basic"),
    ]
    assert PlanVersion.objects.get().status == "published"
    before = row_counts()
    assert [change.kind for change in make_catalog()] == ["unchanged", "unchanged"]
    assert row_counts() == before


def test_numbers_that_are_written_differently_are_the_same_price() -> None:
    make_catalog()
    assert make_catalog(CALLS.replace('"0.01"', '"0.0100"').replace('amount: "10"', "amount: 10.0"))[1].kind == "unchanged"


def test_a_published_plan_is_not_changed_silently() -> None:
    make_catalog()
    before = row_counts()
    with pytest.raises(UnpublishedChanges) as caught:
        make_catalog(DEARER)
    assert caught.value.changes[0].differences == ("charges.calls.tiers[1].unit_amount: 0.01 → 0.02",)
    assert "basic: charges.calls.tiers[1].unit_amount: 0.01 → 0.02" in str(caught.value)
    assert "--new-versions" in str(caught.value)
    assert row_counts() == before


def test_a_new_version_is_for_new_subscriptions_and_old_ones_keep_theirs() -> None:
    make_catalog()
    old = subscribe(make_customer("old"))
    changes = make_catalog(DEARER, new_versions=True)
    assert changes[1].differences == ("charges.calls.tiers[1].unit_amount: 0.01 → 0.02",)
    new = subscribe(make_customer("new"))
    old.refresh_from_db()
    assert (old.plan_version.version, new.plan_version.version) == (1, 2)
    assert list(PlanVersion.objects.order_by("version").values_list("version", "status")) == [(1, "archived"), (2, "published")]
    assert AuditEvent.objects.filter(action="plan.version_published").get().after["version"] == 2


def test_one_bad_plan_leaves_the_whole_file_undone() -> None:
    before = row_counts()
    unknown = (
        CALLS + '  - {code: other, currency: EUR, charges: [{code: x, meter: nothing, model: per_unit, unit_amount: "1"}]}\n'
    )
    with pytest.raises(CatalogError, match=r"line 15: charge x: there is no meter nothing") as caught:
        make_catalog(unknown)
    assert caught.value.member == "charges.x.meter"
    assert row_counts() == before


def test_a_filter_on_a_dimension_that_the_meter_lacks_is_refused() -> None:
    with pytest.raises(CatalogError, match=r"line 10: charge calls: meter calls has no dimension zone; it has region"):
        make_catalog(CALLS.replace("meter: calls", "meter: calls\n        filter: {zone: a}"))
    assert not Plan.objects.exists()
    assert not Meter.objects.exists()


def test_a_plan_keeps_its_currency() -> None:
    make_catalog()
    with pytest.raises(CatalogError, match="plan basic is in EUR") as caught:
        make_catalog(CALLS.replace("EUR", "USD"), new_versions=True)
    assert caught.value.member == "currency"
    assert published_version(Plan.objects.get()).version == 1  # type: ignore[union-attr]


def test_a_meter_without_usage_may_change_and_the_differences_are_said() -> None:
    make_catalog()
    change = make_catalog(CALLS.replace("unit: calls", "unit: requests"))[0]
    assert (change.kind, change.differences) == ("changed", ("unit: calls → requests",))
    assert Meter.objects.get().unit == "requests"


@pytest.mark.parametrize("as_json", [False, True])
def test_what_is_exported_can_be_applied_and_changes_nothing(as_json: bool) -> None:
    make_catalog(EVERYTHING)
    document = export_catalog()
    before = row_counts()
    changes = make_catalog(json.dumps(document) if as_json else yaml.safe_dump(document, sort_keys=False))
    assert {change.kind for change in changes} == {"unchanged"}
    assert row_counts() == before


def test_an_export_rebuilds_the_same_catalogue_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_catalog(EVERYTHING)
    file = tmp_path / "catalog.yaml"
    for options in ([], ["--json"]):
        call_command("export_catalog", *options)
        text = capsys.readouterr().out
        file.write_text(text)
        call_command("apply_catalog", str(file), "--json")
        assert {change["kind"] for change in json.loads(capsys.readouterr().out)} == {"unchanged"}


def test_only_the_published_version_is_exported() -> None:
    make_catalog()
    make_catalog(DEARER, new_versions=True)
    (plan,) = export_catalog()["plans"]
    assert plan["charges"][1]["tiers"][1]["unit_amount"] == "0.02"


def test_differences_name_what_came_and_what_went() -> None:
    before = {"charges": [{"code": "a", "amount": "1"}, {"code": "b", "amount": "2"}]}
    after = {"charges": [{"code": "a", "amount": "1"}, {"code": "c", "amount": "3"}], "minimum_commitment": "5"}
    assert list(differences(before, after)) == [
        "charges.b: {'amount': '2'} → nothing",
        "charges.c: nothing → {'amount': '3'}",
        "minimum_commitment: nothing → 5",
    ]


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE billing_planversion SET minimum_commitment = 1",
        "UPDATE billing_planversion SET status = 'draft', published_at = NULL",
        "UPDATE billing_planversion SET status = 'archived', version = 7",
        "DELETE FROM billing_planversion",
        "TRUNCATE billing_planversion CASCADE",
        "UPDATE billing_charge SET terms = '{}'",
        "UPDATE billing_charge SET plan_version_id = 999999",
        "DELETE FROM billing_charge",
        "TRUNCATE billing_charge CASCADE",
        """INSERT INTO billing_charge (plan_version_id, position, code, name, filter, terms, billed)
           SELECT id, 9, 'x', 'x', '{}', '{"model": "flat", "amount": "1"}', 'in_arrears' FROM billing_planversion""",
    ],
)
def test_a_published_version_never_changes_whoever_writes(attack: str) -> None:
    make_catalog()
    before = (list(PlanVersion.objects.values()), list(Charge.objects.order_by("pk").values()))
    with pytest.raises(DatabaseError, match=r"never change|append-only"):
        assault(attack)
    assert (list(PlanVersion.objects.values()), list(Charge.objects.order_by("pk").values())) == before


def test_a_published_version_may_be_archived_and_nothing_else() -> None:
    make_catalog()
    sql("UPDATE billing_planversion SET status = 'archived'")
    with pytest.raises(DatabaseError, match="never changes"):
        assault("UPDATE billing_planversion SET status = 'published'")


def test_the_command_says_what_it_did_and_what_it_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(CALLS)
    call_command("apply_catalog", str(file))
    assert capsys.readouterr().out == "meter calls: created\nplan basic: created\n"
    file.write_text(DEARER)
    with pytest.raises(CommandError, match=r"0\.01 → 0\.02\nNothing was changed"):
        call_command("apply_catalog", str(file))
    call_command("apply_catalog", str(file), "--new-versions")
    assert "plan basic: changed\n  charges.calls.tiers[1].unit_amount: 0.01 → 0.02" in capsys.readouterr().out
    file.write_text(CALLS.replace("EUR", "EURO"))
    with pytest.raises(CommandError, match=r"catalog\.yaml: line 7: plans\[0\]\.currency: .*EURO"):
        call_command("apply_catalog", str(file))


def test_the_command_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("apply_catalog", str(tmp_path / "nothing.yaml"))
    (tmp_path / "latin.yaml").write_bytes(b"plans: \xe9")
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command("apply_catalog", str(tmp_path / "latin.yaml"))
