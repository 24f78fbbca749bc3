"""A catalogue file against the database: idempotent, all or nothing, and never a silent change of a published price (I8)."""

import json
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from billing.catalog.apply import UnpublishedChanges
from billing.catalog.plans import CatalogError, published_version, version_for
from billing.catalog.specs import export_catalog, plan_spec
from billing.models import Charge, Plan, PlanVersion
from customers.models import AuditEvent
from tests.billing.builders import CALLS, assault, make_catalog, make_customer, row_counts, sql, subscribe
from usage.models import Meter

pytestmark = pytest.mark.django_db

DEARER = CALLS.replace('unit_amount: "0.01"', 'unit_amount: "0.02"')
OWN = """
plans:
  - {code: basic, name: Basic, currency: EUR, customer: acme, charges: [{code: fee, name: Fee, model: flat, amount: "8"}]}
add_ons:
  - {code: setup, name: Setup, currency: EUR, interval: once, charges: [{code: setup, name: Setup, model: flat, amount: "100"}]}
"""
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
    assert caught.value.changes[0].differences == ("Calls, tier 2: 0.01 → 0.02 EUR each",)
    assert list(map(str, caught.value.changes[0].members)) == ["charges.calls.tiers[1].unit_amount: 0.01 → 0.02"]
    assert "  plan basic in EUR: Calls, tier 2: 0.01 → 0.02 EUR each" in str(caught.value)
    assert "--new-versions" in str(caught.value)
    assert row_counts() == before


def test_a_new_version_is_for_new_subscriptions_and_old_ones_keep_theirs() -> None:
    make_catalog()
    old = subscribe(make_customer("old"))
    changes = make_catalog(DEARER, new_versions=True)
    assert changes[1].differences == ("Calls, tier 2: 0.01 → 0.02 EUR each",)
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


def test_a_plan_in_another_currency_is_an_offer_beside_the_first() -> None:
    make_catalog()
    changes = make_catalog(CALLS.replace("EUR", "USD"))
    assert [(change.kind, change.label) for change in changes] == [
        ("unchanged", "meter calls"),
        ("created", "plan basic in USD"),
    ]
    plan = Plan.objects.get()
    assert published_version(plan, currency="EUR").version == 1  # type: ignore[union-attr]
    assert published_version(plan, currency="USD").version == 2  # type: ignore[union-attr]


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
    assert capsys.readouterr().out == "meter calls: created\nplan basic in EUR: created\n"
    file.write_text(DEARER)
    with pytest.raises(CommandError, match=r"0\.01 → 0\.02 EUR each\nNothing was changed"):
        call_command("apply_catalog", str(file))
    call_command("apply_catalog", str(file), "--new-versions")
    assert "plan basic in EUR: changed\n  Calls, tier 2: 0.01 → 0.02 EUR each" in capsys.readouterr().out
    file.write_text(CALLS.replace("EUR", "EURO"))
    with pytest.raises(CommandError, match=r"catalog\.yaml: line 7: plans\[0\]\.currency: .*EURO"):
        call_command("apply_catalog", str(file))


def test_a_dry_run_says_what_would_change_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_catalog()
    make_customer("acme")
    before = row_counts()
    file = tmp_path / "catalog.yaml"
    file.write_text(DEARER.replace("unit: calls", "unit: requests") + OWN.removeprefix("\nplans:\n"))

    call_command("apply_catalog", str(file), "--dry-run")

    assert capsys.readouterr().out == (
        "meter calls: changed\n"
        "  unit: calls → requests\n"
        "plan basic in EUR: changed\n"
        "  Calls, tier 2: 0.01 → 0.02 EUR each\n"
        "plan basic in EUR for acme: created\n"
        "add-on setup in EUR: created\n"
        "Nothing was written. Published plans would change: applying the file needs --new-versions.\n"
    )
    call_command("apply_catalog", str(file), "--dry-run", "--new-versions", "--json")
    assert json.loads(capsys.readouterr().out)[1] == {
        "kind": "changed",
        "what": "plan",
        "code": "basic",
        "currency": "EUR",
        "customer": None,
        "differences": ["Calls, tier 2: 0.01 → 0.02 EUR each"],
        "members": [{"field": "charges.calls.tiers[1].unit_amount", "before": "0.01", "after": "0.02"}],
    }
    assert row_counts() == before
    assert Meter.objects.get().unit == "calls"


def test_a_dry_run_refuses_what_applying_would_refuse(tmp_path: Path) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(CALLS + OWN.removeprefix("\nplans:\n"))
    before = row_counts()
    with pytest.raises(
        CommandError,
        match=r"catalog\.yaml: line 15: there is no customer acme: create it first, or take its own version of basic out",
    ):
        call_command("apply_catalog", str(file), "--dry-run")
    assert row_counts() == before


def test_an_own_version_of_an_unknown_customer_leaves_the_whole_file_undone() -> None:
    before = row_counts()
    with pytest.raises(CatalogError, match=r"^line 15: there is no customer acme: create it first") as caught:
        make_catalog(CALLS + OWN.removeprefix("\nplans:\n"))
    assert caught.value.member == "customer"
    assert row_counts() == before


def test_a_customer_is_sold_its_own_version_and_others_the_public_one() -> None:
    acme, other = make_customer("acme"), make_customer("other")
    make_catalog(CALLS + OWN.removeprefix("\nplans:\n"))
    plan = Plan.objects.get(code="basic")
    assert [len(plan_spec(version_for(plan, customer)).charges) for customer in (acme, other)] == [1, 2]  # type: ignore[arg-type]
    assert Plan.objects.get(code="setup").kind == "add_on"


def test_a_code_that_became_an_add_on_elsewhere_is_refused() -> None:
    make_catalog()
    before = row_counts()
    with pytest.raises(CatalogError, match=r"^line 2: basic is the code of a plan: give the add-on another"):
        make_catalog(OWN[OWN.index("add_ons") :].replace("code: setup, name: Setup, currency", "code: basic, currency"))
    assert row_counts() == before


def test_the_command_refuses_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("apply_catalog", str(tmp_path / "nothing.yaml"))
    (tmp_path / "latin.yaml").write_bytes(b"plans: \xe9")
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command("apply_catalog", str(tmp_path / "latin.yaml"))
