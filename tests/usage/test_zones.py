"""A customer's time zone changes, and all its usage is counted again by its new days."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from pytest_django import Settings

from billing.reconciliation.report import reconcile
from customers.models import AuditEvent, Customer
from customers.services import CustomerError, update_customer
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, an_event, in_threads, kept, recomputed, rollups
from tests.usage.months import a_january_put_away
from usage.corrections import void_event
from usage.ingestion import ingest
from usage.zones import days_move

EVENING = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)  # in Tokyo 7:30 of the next day


def move(customer: Customer, timezone: str) -> Customer:
    return update_customer(customer_id=customer.pk, changes={"timezone": timezone}, actor=ACTOR, now=NOW)


def days() -> list[tuple[str, str, int]]:
    return [(row[0], row[2], row[4]) for row in rollups()]


def zone_of(external_id: str) -> str:
    return Customer.objects.get(external_id=external_id).timezone


@pytest.mark.django_db
def test_usage_moves_to_the_days_of_the_new_zone_and_back() -> None:
    customer = a_customer()
    a_customer("beta")
    a_meter()
    a_meter("peak", aggregation="max", value_path="n", dimensions=["region"])
    a_meter("latest", aggregation="latest", value_path="n")
    a_meter("users", aggregation="unique_count", value_path="n", filters={"region": {"exists": True}})
    a_meter("seats", aggregation="weighted_sum", value_path="n")
    for number, hours in enumerate((0, 1, 3, 30)):
        at = EVENING + timedelta(hours=hours)
        ingest([an_event(f"{number}", {"n": number, "region": "eu"}, occurred_at=at)], now=NOW)
    ingest([an_event("void", {"n": 9}, occurred_at=EVENING), an_event("beta", {"n": 1}, subject="beta")], now=NOW)
    void_event(source="test", event_id="void", reason="wrong", actor=ACTOR, now=NOW)
    before = kept()
    betas = [row for row in before if row[0] == "beta"]
    assert [row[1:6] for row in before if row[:2] == ("acme", "calls")] == [
        ("calls", "2026-03-09", {}, None, 2), ("calls", "2026-03-10", {}, None, 1), ("calls", "2026-03-11", {}, None, 1)
    ]  # fmt: skip

    move(customer, "Asia/Tokyo")

    # 22:30, 23:30 and 1:30 UTC are all of the 10th in Tokyo; 4:30 of the 11th is of the 11th in both.
    assert [row[1:6] for row in kept() if row[:2] == ("acme", "calls")] == [
        ("calls", "2026-03-10", {}, None, 3), ("calls", "2026-03-11", {}, None, 1)
    ]  # fmt: skip
    assert kept() == recomputed()
    assert [row for row in kept() if row[0] == "beta"] == betas
    assert reconcile().differences == ()
    trail = AuditEvent.objects.get(action="customer.updated")
    assert (trail.before, trail.after) == ({"timezone": "UTC"}, {"timezone": "Asia/Tokyo"})

    ingest([an_event("new", {"n": 5}, occurred_at=EVENING)], now=NOW)
    void_event(source="test", event_id="new", reason="wrong", actor=ACTOR, now=NOW)
    assert kept() == recomputed()
    move(customer, "UTC")
    assert kept() == before


@pytest.mark.django_db
def test_event_that_a_later_meter_cannot_use_stays_out_of_it() -> None:
    customer = a_customer()
    a_meter()
    ingest([an_event("1", {"n": "many"}, occurred_at=EVENING), an_event("2", {"n": 2}, occurred_at=EVENING)], now=NOW)
    a_meter("sum", aggregation="sum", value_path="n")

    move(customer, "Asia/Tokyo")

    assert [(row[1], row[2], row[4]) for row in rollups()] == [("calls", "2026-03-10", 2), ("sum", "2026-03-10", 1)]
    assert reconcile().differences == ()


@pytest.mark.django_db
def test_customer_without_usage_moves_freely() -> None:
    customer = a_customer()
    move(customer, "Asia/Tokyo")
    assert zone_of("acme") == "Asia/Tokyo"
    assert kept() == []


@pytest.mark.django_db
@pytest.mark.parametrize("where", ["alone", "after a change of the same customer", "beside the setting of another"])
def test_database_refuses_a_zone_that_nobody_counts_again(where: str) -> None:
    customer, other = a_customer(), a_customer("beta")
    a_meter()
    ingest([an_event("1", occurred_at=EVENING), an_event("2", subject="beta", occurred_at=EVENING)], now=NOW)
    if where == "after a change of the same customer":
        move(customer, "Europe/Paris")
    elif where == "beside the setting of another":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('squill.days_counted_again_for', %s, true)", [str(other.pk)])
    before, zone = kept(), zone_of("acme")

    with pytest.raises(IntegrityError, match="time zone is fixed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET timezone = 'Asia/Tokyo' WHERE id = %s", [customer.pk])

    assert (kept(), zone_of("acme")) == (before, zone)


@pytest.mark.django_db
def test_customer_whose_events_were_put_away_keeps_its_zone_and_nothing_is_written(settings: Settings) -> None:
    a_january_put_away(settings)
    before, trail = kept(), AuditEvent.objects.count()
    customer = Customer.objects.get(external_id="acme")

    with pytest.raises(CustomerError) as caught:
        update_customer(customer_id=customer.pk, changes={"timezone": "UTC", "name": "New"}, actor=ACTOR, now=NOW)

    assert list(caught.value.errors) == ["timezone"]
    assert "put away" in caught.value.errors["timezone"]
    customer.refresh_from_db()
    assert (customer.timezone, customer.name) == ("Asia/Tokyo", "Acme")
    assert (kept(), AuditEvent.objects.count()) == (before, trail)
    other = a_customer("beta")
    assert move(other, "Asia/Tokyo").timezone == "Asia/Tokyo"


@pytest.mark.django_db(transaction=True)
def test_ingestion_waits_for_a_change_of_zone_and_counts_by_the_new_days() -> None:
    customer = a_customer()
    a_meter()
    ingest([an_event("1", occurred_at=EVENING)], now=NOW)
    done = threading.Event()

    def send() -> None:
        try:
            ingest([an_event("2", occurred_at=EVENING)], now=NOW)
        finally:
            done.set()
            connections.close_all()

    with transaction.atomic():
        move(customer, "Asia/Tokyo")
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        assert not done.wait(0.3)  # it waits
    sender.join(20)

    assert days() == [("acme", "2026-03-10", 2)]
    assert kept() == recomputed()


@pytest.mark.django_db(transaction=True)
def test_change_of_zone_waits_for_ingestion_and_counts_what_it_stored() -> None:
    customer = a_customer()
    a_meter()
    done = threading.Event()

    def change() -> None:
        try:
            move(customer, "Asia/Tokyo")
        finally:
            done.set()
            connections.close_all()

    with transaction.atomic():
        ingest([an_event("1", occurred_at=EVENING)], now=NOW)
        mover = threading.Thread(target=change, daemon=True)
        mover.start()
        assert not done.wait(0.3)
    mover.join(20)

    assert zone_of("acme") == "Asia/Tokyo"
    assert days() == [("acme", "2026-03-10", 1)]


@pytest.mark.django_db(transaction=True)
def test_zones_change_beside_ingestion_and_corrections() -> None:
    customers = [a_customer(), a_customer("beta")]
    a_meter(aggregation="sum", value_path="n")
    a_meter("latest", aggregation="latest", value_path="n")
    ingest([an_event(f"old{number}", {"n": number}, occurred_at=EVENING) for number in range(20)], now=NOW)

    def send(name: str, subject: str) -> None:
        for number in range(15):
            at = EVENING + timedelta(minutes=10 * number)
            ingest([an_event(f"{name}{number}", {"n": number}, subject=subject, occurred_at=at)], now=NOW)

    def void() -> None:
        for number in range(20):
            void_event(source="test", event_id=f"old{number}", reason="wrong", actor=ACTOR, now=NOW)

    def move_about(customer: Customer) -> None:
        for timezone in ("Asia/Tokyo", "America/St_Johns", "UTC", "Asia/Tokyo"):
            move(customer, timezone)

    works: list[Any] = [
        partial(send, "a", "acme"),
        partial(send, "b", "beta"),
        void,
        *[partial(move_about, each) for each in customers],
    ]
    in_threads(*works)

    assert {zone_of("acme"), zone_of("beta")} == {"Asia/Tokyo"}
    assert kept() == recomputed()
    assert reconcile().differences == ()


@pytest.mark.django_db(transaction=True)
def test_no_month_is_put_away_while_days_are_counted_again() -> None:
    customer = a_customer()

    def take_all() -> str:
        with transaction.atomic(), connection.cursor() as cursor:
            try:
                cursor.execute("LOCK TABLE ONLY usage_event IN ACCESS EXCLUSIVE MODE NOWAIT")
            except OperationalError:
                return "held"
        return "free"

    with transaction.atomic():
        days_move(customer.pk)
        assert in_threads(take_all) == ["held"]
    assert in_threads(take_all) == ["free"]
