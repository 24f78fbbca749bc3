import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from billing.models import Charge
from billing.subscriptions.changing import change_plan
from tests.billing.builders import (
    ACTOR,
    CALLS,
    at,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    sql,
    subscribe,
)
from tests.billing.offers import flat, make_version, per_unit

pytestmark = pytest.mark.django_db

LATER = at("2026-03-15")
JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")


def rerate(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rerate", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def _world() -> None:
    """acme and bolt pay 10 and 0.01 for calls above 100; version 2, which is not sold, is 5 and 0.02 for each call in the EU."""
    make_catalog()
    make_version("basic", flat("fee", "5"), per_unit("calls", "0.02", meter="calls", filter={"region": "eu"}), status="archived")
    for name, calls in (("acme", 150), ("bolt", 1000)):
        subscribe(make_customer(name), external_id=name, now=LATER)
        send_usage(name, "call", calls, "2026-01-10", {"region": "eu"})
    send_usage("acme", "call", 40, "2026-01-10", {"region": "us"})


@pytest.mark.usefixtures("_world")
class TestRerating:
    def test_it_prints_a_line_a_period_and_who_pays_more_and_who_less(self) -> None:
        before = row_counts()
        assert rerate("basic", "--version", "2", *JANUARY).splitlines() == [
            "acme · acme · 2026-01-01 – 2026-01-31: 10.90 → 8.00 EUR (-2.90); would be unpriced: calls 40",
            "bolt · bolt · 2026-01-01 – 2026-01-31: 19.00 → 25.00 EUR (+6.00)",
            "version 2 in EUR: 29.90 → 33.00 EUR (+3.10); customers that pay more: 1, less: 1, the same: 0",
        ]
        assert row_counts() == before

    def test_a_customer_counts_once_over_all_its_periods(self) -> None:
        # bolt: +6 in January, −5 in February: more. acme: −2.90 and −5: less.
        told = rerate("basic", "--version", "2", "--from", "2026-01-01", "--to", "2026-03-01").splitlines()
        assert len(told) == 5
        assert told[-1] == "version 2 in EUR: 49.90 → 43.00 EUR (-6.90); customers that pay more: 1, less: 1, the same: 0"

    def test_json_is_one_document(self) -> None:
        told = json.loads(rerate("basic", "--version", "2", *JANUARY, "--json"))
        assert told["periods"][0] == {
            "customer": "acme",
            "subscription": "acme",
            "period": ["2026-01-01", "2026-02-01"],
            "version": 1,
            "other_version": 2,
            "currency": "EUR",
            "own": "10.9",
            "other": "8",
            "difference": "-2.9",
            "unpriced": [{"meter": "calls", "quantity": "40"}],
            "error": "",
        }
        assert told["totals"] == [
            {
                "version": 2,
                "currency": "EUR",
                "customers": {"more": 1, "less": 1, "same": 0},
                "periods_failed": 0,
                "own": "29.9",
                "other": "33",
                "difference": "3.1",
            }
        ]

    def test_json_of_no_period_is_a_document_too(self) -> None:
        told = json.loads(rerate("basic", "--version", "2", "--from", "2025-01-01", "--to", "2025-02-01", "--json"))
        assert (told["periods"], told["totals"][0]["own"]) == ([], "0")

    def test_csv_is_a_table_with_a_heading(self) -> None:
        rows = list(csv.DictReader(io.StringIO(rerate("basic", "--version", "2", *JANUARY, "--csv"))))
        assert [row["customer"] for row in rows] == ["acme", "bolt"]
        assert rows[0] == {
            "customer": "acme",
            "subscription": "acme",
            "first_day": "2026-01-01",
            "end_day": "2026-02-01",
            "version": "1",
            "other_version": "2",
            "currency": "EUR",
            "own": "10.90",
            "other": "8.00",
            "difference": "-2.90",
            "unpriced": "calls 40",
            "error": "",
        }

    def test_one_customer_alone(self) -> None:
        told = rerate("basic", "--version", "2", *JANUARY, "--customer", "bolt").splitlines()
        assert [line.split(" · ")[0] for line in told[:-1]] == ["bolt"]

    def test_a_period_that_cannot_be_rated_is_told_with_the_others_and_fails_the_command(self) -> None:
        sql("UPDATE usage_rollup SET value_sum = -5 WHERE customer_id = (SELECT id FROM customers_customer WHERE name = 'Acme')")
        out = io.StringIO()
        with pytest.raises(CommandError, match="1 period cannot be rated"):
            call_command("rerate", "basic", "--version", "2", *JANUARY, stdout=out)
        acme, bolt, totals = out.getvalue().splitlines()
        assert (
            acme == "acme · acme · 2026-01-01 – 2026-01-31: cannot be rated: ValueError: a quantity must be zero or more, got -10"
        )
        assert bolt.endswith("19.00 → 25.00 EUR (+6.00)")
        assert totals == "version 2 in EUR: 19.00 → 25.00 EUR (+6.00); customers that pay more: 1, less: 0, the same: 0"
        with pytest.raises(CommandError, match="1 period cannot be rated"):
            rerate("basic", "--version", "2", *JANUARY, "--csv")

    def test_without_a_version_it_is_what_is_sold_now_in_each_currency(self) -> None:
        make_catalog(CALLS.replace('"10"', '"12"'), new_versions=True)
        make_version("basic", flat("fee", "3"), currency="JPY")
        subscribe(make_customer("cash", currency="JPY"), external_id="cash", now=LATER)
        make_version("basic", flat("fee", "4"), currency="JPY")
        assert rerate("basic", *JANUARY).splitlines()[1:] == [
            "bolt · bolt · 2026-01-01 – 2026-01-31: 19.00 → 21.00 EUR (+2.00)",
            "version 3 in EUR: 29.90 → 33.90 EUR (+4.00); customers that pay more: 2, less: 0, the same: 0",
            "cash · cash · 2026-01-01 – 2026-01-31: 3 → 4 JPY (+1)",
            "version 5 in JPY: 3 → 4 JPY (+1); customers that pay more: 1, less: 0, the same: 0",
        ]

    def test_of_one_customer_it_is_the_version_that_is_sold_to_it(self) -> None:
        acme = subscribe(make_customer("dot"), external_id="dot", now=LATER).customer
        make_version("basic", flat("fee", "1"), customer=acme)
        assert rerate("basic", *JANUARY, "--customer", "dot").splitlines()[0].endswith("10.00 → 1.00 EUR (-9.00)")


def test_a_plan_that_was_left_is_the_plan_of_the_periods_in_which_it_was_held() -> None:
    make_version("basic", flat("fee", "10"))
    make_version("pro", flat("fee", "30"))
    subscription = subscribe(make_customer(), external_id="acme", now=LATER)
    change_plan(subscription_id=subscription.pk, plan_code="pro", when=at("2026-02-01"), actor=ACTOR, now=LATER)
    make_version("basic", flat("fee", "11"))
    assert Charge.objects.count() == 3
    told = rerate("basic", "--from", "2026-01-01", "--to", "2026-03-01").splitlines()
    assert told[:-1] == ["acme · acme · 2026-01-01 – 2026-01-31: 10.00 → 11.00 EUR (+1.00)"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gold", *JANUARY), "there is no plan gold"),
        (("basic", *JANUARY, "--version", "7"), "plan basic has no version 7; it has: 1"),
        (("basic", *JANUARY, "--customer", "nobody"), "there is no customer nobody"),
        (("basic", "--from", "2026-02-01", "--to", "2026-02-01"), "the last day must come after the first"),
        (("basic", "--from", "2026-02-01", "--to", "1 March"), "1 March is not a day: write it as 2026-03-01"),
        (("basic", *JANUARY, "--json", "--csv"), "not allowed with argument"),
        (("support", *JANUARY), "support is an add-on"),
        (("drafted", *JANUARY), "no version of plan drafted is sold: name one with --version"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(arguments: tuple[str, ...], message: str) -> None:
    make_catalog()
    make_version("support", flat("support", "8"), kind="add_on")
    make_version("drafted", flat("fee", "8"), status="draft")
    with pytest.raises(CommandError, match=message):
        rerate(*arguments)
