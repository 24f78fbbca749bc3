"""What a change would make of the next invoice: by hand, to the cent, and without a row written."""

from typing import Any

import pytest

from tests.billing.api.calling import Answer, Caller
from tests.billing.api.plans_by_seat import TEAM
from tests.billing.builders import bill, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _billed_team() -> None:
    """Acme is on Team with two seats; January, and the fee in advance of February, are billed."""
    make_catalog(TEAM)
    subscribe(make_customer("acme", tax_rate_pct="20"), "team", external_id="sub")
    bill("2026-02-01")


def _preview(operation: str, body: Any = None) -> Answer:
    """Ask for a preview, and assert that it wrote nothing and that asking again says the same."""
    caller = Caller()
    caller.get("/plans")  # the key's last use is written now, and not within the minute
    before = row_counts()
    answer = caller.post(f"/subscriptions/sub/{operation}?preview=true", body)
    assert caller.post(f"/subscriptions/sub/{operation}?preview=true", body).json == answer.json
    assert row_counts() == before
    return answer


def _lines(invoice: Any) -> list[tuple[str, str, str]]:
    return [(line["group"], line["charge"], line["amount"]) for line in invoice["lines"]]


# The invoice of 1 March: the fee in advance of March, and two seats of February.
BEFORE = [("subscription", "platform", "28"), ("subscription", "seats", "56")]


def test_seats_added_within_the_period_cost_their_days() -> None:
    answer = _preview("quantities", {"charge": "seats", "quantity": "4", "when": "2026-02-15T00:00:00Z"})

    assert answer.status == 200
    assert _lines(answer.json["before"]) == BEFORE
    # 14 days of 2 seats and 14 of 4: (14 x 2 + 14 x 4) / 28 x 28 = 84
    assert _lines(answer.json["after"]) == [("subscription", "platform", "28"), ("subscription", "seats", "84")]
    assert answer.json["difference"] == "28"  # before tax
    assert (answer.json["before"]["total"], answer.json["after"]["total"]) == ("100.8", "134.4")  # 84 and 112, with 20 %
    assert (answer.json["after"]["subscription"], answer.json["after"]["issued_on"]) == ("sub", "2026-03-01")


def test_an_upgrade_within_a_billed_period_is_shared_by_its_days() -> None:
    answer = _preview("change-plan", {"plan": "pro", "when": "2026-02-15T00:00:00Z"})

    assert _lines(answer.json["before"]) == BEFORE
    # The first invoice that follows is that of 15 February: 14 of 28 days of Pro's fee in advance, two seats of Team for 14
    # days, and what was billed in advance for the other 14 comes back.
    assert sorted(_lines(answer.json["after"])) == [
        ("adjustment", "platform", "-14"),
        ("subscription", "platform", "28"),
        ("subscription", "seats", "28"),
    ]
    # On 1 March come Pro's fee of March, 56, and one seat of Pro for 14 days, 28: 42 + 84, where it would be 28 + 56.
    assert (answer.json["difference"], answer.json["compared_until"]) == ("42", "2026-03-01T00:00:00Z")


def test_a_change_at_the_end_of_the_period_shows_in_the_fee_in_advance() -> None:
    answer = _preview("change-plan", {"plan": "pro", "when": "period_end"})

    assert _lines(answer.json["after"]) == [("subscription", "platform", "56"), ("subscription", "seats", "56")]
    assert answer.json["difference"] == "28"


def test_an_add_on_a_pause_and_an_end() -> None:
    added = _preview("add-ons", {"add_on": "support", "when": "2026-02-15T00:00:00Z"})
    paused = _preview("pause", {"when": "period_end"})
    ended = _preview("end", {"ends_at": "period_end"})

    assert added.json["difference"] == "7"  # 14 of 28 days of 14
    assert (paused.json["difference"], ended.json["difference"]) == ("-28", "-28")  # no fee in advance of March
    assert _lines(ended.json["after"]) == [("subscription", "seats", "56")]


def test_what_is_so_already_makes_no_difference() -> None:
    caller = Caller()
    ended = caller.post("/subscriptions/sub/end", {"ends_at": "period_end"}).json
    [end] = ended["planned"]

    same = _preview("end", {"ends_at": "period_end"})
    undone = _preview(f"changes/{end['id']}/undo")

    assert same.json["difference"] == "0"
    assert same.json["before"] == same.json["after"]
    assert undone.json["difference"] == "28"
    assert caller.get("/subscriptions/sub").json == ended


def test_undoing_a_change_within_the_period_gives_the_period_its_days_back() -> None:
    caller = Caller()
    [change] = caller.post("/subscriptions/sub/change-plan", {"plan": "pro", "when": "2026-02-15T00:00:00Z"}).json["planned"]

    answer = _preview(f"changes/{change['id']}/undo")

    assert _lines(answer.json["after"]) == BEFORE
    assert answer.json["difference"] == "-42"


def test_undoing_the_end_of_a_trial_gives_the_trial_its_days_back() -> None:
    subscribe(make_customer("bolt"), "team", "2026-02-01", external_id="trying", trial_days=30)
    caller = Caller()
    [end] = caller.post("/subscriptions/trying/end", {"ends_at": "2026-02-20T00:00:00Z"}).json["planned"]
    caller.post(f"/subscriptions/trying/changes/{end['id']}/undo")

    [period] = caller.get("/subscriptions/trying/periods").json["items"]

    assert (period["kind"], period["first_day"], period["last_day"]) == ("trial", "2026-02-01", "2026-03-02")


def test_where_no_invoice_is_to_come_there_is_none() -> None:
    Caller().post("/subscriptions/sub/end", {"ends_at": "2026-02-20T00:00:00Z"})
    bill("2026-02-20")  # all of it is billed, days ahead

    answer = _preview("quantities", {"charge": "seats", "quantity": "4", "when": "now"})

    until = "2026-02-20T00:00:00Z"
    assert (answer.status, answer.json) == (200, {"before": None, "after": None, "difference": "0", "compared_until": until})


def test_a_subscription_that_was_never_billed_is_previewed_from_its_first_fee() -> None:
    subscribe(make_customer("bolt"), "team", external_id="fresh")

    answer = Caller().post("/subscriptions/fresh/pause?preview=true", {"when": "2026-01-01T00:00:00Z"})

    assert _lines(answer.json["before"]) == [("subscription", "platform", "28")]
    # Three fees in advance (January to March) of 28, and two months of two seats of 28 each.
    assert (_lines(answer.json["after"]), answer.json["difference"]) == ([], "-196")


@pytest.mark.parametrize(("query", "field"), [("?preview=perhaps", "preview"), ("?dry_run=true", "dry_run")])
def test_a_query_that_is_not_understood_changes_nothing(query: str, field: str) -> None:
    caller = Caller()
    before = row_counts()

    answer = caller.post(f"/subscriptions/sub/end{query}", {"ends_at": "period_end"})

    assert (answer.status, [field for field, _message in answer.told]) == (400, [field])
    assert row_counts() == before
