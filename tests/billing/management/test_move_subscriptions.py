import io
import json

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from tests.billing.builders import (
    CALLS,
    at,
    bill,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    subscribe,
)

pytestmark = pytest.mark.django_db

NOW = at("2026-02-15")


def move(*arguments: str) -> str:
    out = io.StringIO()
    call_command("move_subscriptions", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    """acme and bolt have paid January by version 1, 10 and 0.01 a call above 100; version 2 is 12 and 0.02."""
    monkeypatch.setenv("SQUILL_NOW", "2026-02-15T00:00:00Z")
    make_catalog()
    for name in ("acme", "bolt"):
        subscribe(make_customer(name), external_id=name, now=NOW)
    send_usage("acme", "call", 150, "2026-01-10")
    bill("2026-02-01")
    make_catalog(CALLS.replace('"10"', '"12"').replace('"0.01"', '"0.02"'), new_versions=True)


def test_a_dry_run_says_what_the_last_period_would_have_cost_and_changes_nothing() -> None:
    before = row_counts()
    assert move("basic", "--when", "period_end", "--dry-run").splitlines() == [
        "acme · acme · version 1 → 2 from 2026-03-01; 2026-01-01 – 2026-01-31: 10.50 → 13.00 EUR (+2.50)",
        "bolt · bolt · version 1 → 2 from 2026-03-01; 2026-01-01 – 2026-01-31: 10.00 → 12.00 EUR (+2.00)",
        "2 would be moved",
    ]
    assert row_counts() == before


def test_it_moves_each_once() -> None:
    assert move("basic", "--when", "period_end").splitlines() == [
        "acme · acme · version 1 → 2 from 2026-03-01",
        "bolt · bolt · version 1 → 2 from 2026-03-01",
        "2 moved",
    ]
    assert move("basic", "--when", "period_end") == "No subscription of basic is on an older version.\n"
    assert json.loads(move("basic", "--when", "now", "--json")) == {"dry_run": False, "moves": []}


def test_now_is_from_today_and_can_be_for_some_alone() -> None:
    assert move("basic", "--when", "now", "--subscription", "bolt").splitlines() == [
        "bolt · bolt · version 1 → 2 from 2026-02-15",
        "1 moved",
    ]


@pytest.mark.parametrize("dry_run", [("--dry-run",), ()])
def test_a_refusal_is_told_with_the_others_and_fails_the_command(dry_run: tuple[str, ...]) -> None:
    Customer.objects.filter(external_id="acme").update(archived_at=NOW)
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 subscription is refused"):
        call_command("move_subscriptions", "basic", "--when", "now", *dry_run, stdout=out)
    told = out.getvalue().splitlines()
    assert len(told) == 3
    assert any(line.startswith("acme · acme · stays on version 1: the customer is archived") for line in told)
    assert any(line.startswith("bolt · bolt · version 1 → 2 from 2026-02-15") for line in told)
    assert told[-1] == ("1 would be moved" if dry_run else "1 moved")


def test_json_says_all_of_it() -> None:
    told = json.loads(move("basic", "--when", "period_end", "--dry-run", "--json"))
    assert told["dry_run"] is True
    assert told["moves"][1] == {
        "customer": "bolt",
        "subscription": "bolt",
        "from_version": 1,
        "to_version": 2,
        "effective_on": "2026-03-01",
        "refusal": None,
        "last_period": {
            "customer": "bolt",
            "subscription": "bolt",
            "period": ["2026-01-01", "2026-02-01"],
            "version": 1,
            "currency": "EUR",
            "own": "10",
            "other": "12",
            "difference": "2",
            "unpriced": [],
            "error": "",
        },
    }


def test_an_unknown_plan_and_no_day_are_refused() -> None:
    with pytest.raises(CommandError, match="there is no plan gold"):
        move("gold", "--when", "now")
    with pytest.raises(CommandError, match="--when"):
        move("basic")
