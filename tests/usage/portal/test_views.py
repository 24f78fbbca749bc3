import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from customers.models import Customer
from tests.customers.factories import PortalUserFactory
from tests.usage.builders import a_customer, a_meter, an_event
from usage.ingestion import ingest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _mid_march(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_NOW", "2026-03-15T12:00:00Z")


def visit(client: Client, customer: Customer, query: str = "") -> str:
    """Return the text of the page for a person of the customer, without tags and with plain spaces."""
    client.force_login(PortalUserFactory.create(customer=customer).user)
    answer = client.get(f"/portal/usage{query}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\xa0", " "))


def send(subject: str, day: str, value: int, region: str) -> None:
    occurred_at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    event = an_event(f"{subject}-{day}-{region}", {"n": value, "region": region}, subject=subject, occurred_at=occurred_at)
    ingest([event], now=occurred_at)


def a_used_customer(external_id: str = "acme", **fields: str) -> Customer:
    """1,200 calls in March (700 in the EU, 500 in the US) and 50 in February."""
    customer = a_customer(external_id, **fields)
    for day, value, region in (("2026-02-20", 50, "eu"), ("2026-03-02", 700, "eu"), ("2026-03-09", 500, "us")):
        send(external_id, day, value, region)
    return customer


def a_calls_meter() -> None:
    a_meter("calls", name="API calls", aggregation="sum", value_path="n", dimensions=["region"], unit="calls")


def test_the_running_month_is_shown_by_day_and_by_dimension(client: Client) -> None:
    a_calls_meter()
    page = visit(client, a_used_customer())
    for text in (
        "Total 1,200 calls",
        "Busiest day 700 calls",
        "2 March 2026",
        "By region eu 700 calls us 500 calls",
        "9 March 2026 500 calls",
    ):
        assert text in page, text


def test_another_month_is_chosen_by_the_address(client: Client) -> None:
    a_calls_meter()
    page = visit(client, a_used_customer(), "?meter=calls&month=2026-02")
    assert "Total 50 calls API calls · February 2026" in page


@pytest.mark.parametrize("query", ["?month=1999-13&meter=none", "?month=%00", "?meter=';--"])
def test_an_address_that_names_nothing_shows_the_running_month(client: Client, query: str) -> None:
    a_calls_meter()
    assert "Total 1,200 calls" in visit(client, a_used_customer(), query)


def test_the_largest_value_of_a_month_is_not_a_sum(client: Client) -> None:
    a_meter("storage", name="Storage", aggregation="max", value_path="n", unit="GB")
    assert "Largest value 700 GB" in visit(client, a_used_customer())


@pytest.mark.parametrize(
    ("aggregation", "told"),
    [
        ("min", "Smallest value 500 GB"),
        ("latest", "Latest value 500 GB"),
        ("average", "Average 600 GB"),  # (700 + 500) / 2
        ("unique_count", "Different values 2 GB"),
    ],
)
def test_number_of_a_month_is_called_what_it_is(client: Client, aggregation: str, told: str) -> None:
    a_meter("storage", name="Storage", aggregation=aggregation, value_path="n", unit="GB")
    assert told in visit(client, a_used_customer())


def test_only_the_customers_own_usage_counts(client: Client) -> None:
    a_calls_meter()
    a_used_customer("other")
    assert "No usage has arrived yet." in visit(client, a_customer("acme"))


def test_more_values_of_a_dimension_than_fit_are_put_together(client: Client) -> None:
    a_calls_meter()
    customer = a_customer("acme")
    for number in range(14):
        send("acme", "2026-03-02", 100 - number, f"region-{number:02}")
    page = visit(client, customer)
    assert "region-11" in page
    assert "region-12" not in page
    assert "all others 175 calls" in page  # 88 + 87


def test_numbers_are_written_as_the_customer_is_used_to(client: Client) -> None:
    a_calls_meter()
    customer = a_used_customer()
    Customer.objects.filter(pk=customer.pk).update(locale="de")
    assert "1.200 calls" in visit(client, customer)
