"""Start with a trial, with seats, on a plan of one's own currency: what is written, and what is refused."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from billing.models import SubscriptionChange
from customers.models import AuditEvent
from tests.billing.builders import make_customer, subscribe
from tests.billing.subscriptions.plans_made import fee, seats, sell, sell_add_on
from tests.billing.subscriptions.steps import days, periods, refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plans() -> None:
    sell("team", fee("31"), seats("31", quantity="2"), trial_days=14)
    sell_add_on("support", fee("31"))


def rows() -> list[tuple[str, str, Decimal | None]]:
    found = SubscriptionChange.objects.order_by("pk").values_list("kind", "effective_on", "quantity")
    return [(kind, day.isoformat(), quantity) for kind, day, quantity in found]


def test_the_trial_is_the_plans_unless_it_is_said_otherwise() -> None:
    assert periods(subscribe(make_customer("one"), "team")) == [("2026-01-01", "2026-01-15", "trial", "team")]
    assert periods(subscribe(make_customer("two"), "team", trial_days=0)) == [("2026-01-01", "2026-02-01", "regular", "team")]
    assert periods(subscribe(make_customer("three"), "team", trial_days=45)) == [("2026-01-01", "2026-02-15", "trial", "team")]


def test_what_is_decided_at_the_start_are_changes_and_in_the_audit_trail() -> None:
    subscribe(make_customer(), "team", ends="2026-06-01", quantities={"seats": Decimal("5.5")})
    assert rows() == [("start", "2026-01-01", None), ("quantity", "2026-01-01", Decimal("5.5")), ("end", "2026-06-01", None)]
    assert SubscriptionChange.objects.get(kind="start").trial_ends_on == days("2026-01-15")
    event = AuditEvent.objects.get(action="subscription.started")
    assert (event.after["trial_ends_on"], event.after["quantities"]) == ("2026-01-15", {"seats": "5.5"})


@pytest.mark.parametrize("trial_days", [-1, 731])
def test_a_trial_has_its_bounds(trial_days: int) -> None:
    customer = make_customer()
    refused(lambda: subscribe(customer, "team", trial_days=trial_days), "trial_unusable", "trial_days")


@pytest.mark.parametrize(
    ("quantities", "code"),
    [
        ({"seats": Decimal(-1)}, "quantity_unusable"),
        ({"seats": Decimal("NaN")}, "quantity_unusable"),
        ({"seats": Decimal(10) ** 15}, "quantity_unusable"),
        ({"seats": Decimal("1E-13")}, "quantity_unusable"),
        ({"desks": Decimal(1)}, "charge_not_found"),
        ({"fee": Decimal(1)}, "charge_not_found"),
    ],
)
def test_quantities_are_those_of_the_plan(quantities: Mapping[str, Decimal], code: str) -> None:
    customer = make_customer()
    refused(lambda: subscribe(customer, "team", quantities=quantities), code, f"quantities.{next(iter(quantities))}")


def test_an_add_on_is_no_plan() -> None:
    customer = make_customer()
    message = refused(lambda: subscribe(customer, "support"), "not_a_plan", "plan")
    assert message == "support is an add-on: add it to a subscription"


def test_each_currency_has_its_own_version() -> None:
    dollars = sell("team", fee("40"), currency="USD")
    assert subscribe(make_customer(currency="USD"), "team").plan_version == dollars
    assert subscribe(make_customer("other"), "team").plan_version.currency == "EUR"
