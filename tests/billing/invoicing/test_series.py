"""How documents are named: patterns that are refused, counters that go on, and numbers that never come twice (I6)."""

import threading
from datetime import date
from typing import Any

import pytest
from django.db import transaction

from billing.invoicing.entities import default_entity
from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.numbering import next_number
from billing.invoicing.series import PatternRefused, can_collide, save_series
from billing.models import BillingEntity, Invoice, NumberCounter, NumberSeries
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, NOW, at, bill, invoices, make_catalog, make_customer, row_counts, subscribe
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db
Kind = NumberSeries.Kind


def save(
    pattern: str, *, entity: BillingEntity | None = None, kind: NumberSeries.Kind = Kind.INVOICE, resets: bool = False
) -> NumberSeries:
    seller = entity or default_entity()
    return save_series(entity_id=seller.pk, kind=kind, pattern=pattern, resets_yearly=resets, actor=ACTOR, now=NOW)


def second() -> BillingEntity:
    return BillingEntity.objects.create(code="second", name="Second", legal_name="Second Ltd")


def refused(pattern: str, code: str, **fields: Any) -> str:
    default_entity()
    rows, series = row_counts(), list(NumberSeries.objects.order_by("pk").values())
    with pytest.raises(PatternRefused) as caught:
        save(pattern, **fields)
    assert caught.value.code == code
    assert (row_counts(), list(NumberSeries.objects.order_by("pk").values())) == (rows, series)
    return str(caught.value)


def numbered(month: int) -> str:
    """The number of the one invoice of a month, made final on the first day of the next."""
    year, next_month = (2026, month + 1) if month < 12 else (2027, 1)
    bill(f"{year}-{next_month:02d}-01")
    return str(Invoice.objects.order_by("-pk")[0].number)


def test_a_new_pattern_takes_the_next_number_and_old_documents_keep_theirs() -> None:
    make_catalog()
    subscribe(make_customer())
    assert numbered(1) == "INV-000001"
    save("ACME-{year}-{number:04}")
    assert numbered(2) == "ACME-2026-0002"
    assert [invoice.number for invoice in invoices()] == ["INV-000001", "ACME-2026-0002"]
    assert NumberCounter.objects.get().last_number == 2
    event = AuditEvent.objects.get(action="number_series.changed")
    assert (event.object_id, event.before["pattern"], event.after["pattern"]) == (
        "default:invoice",
        "INV-{number:06}",
        "ACME-{year}-{number:04}",
    )


def test_a_series_that_starts_anew_has_a_counter_a_year_by_the_day_of_issue() -> None:
    save("A-{year}-{number:03}", resets=True)
    days = [date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1), date(2026, 12, 31)]
    with transaction.atomic():
        given = [next_number(default_entity(), kind=Kind.INVOICE, issued_on=day).text for day in days]
    assert given == ["A-2026-001", "A-2026-002", "A-2027-001", "A-2026-003"]
    assert dict(NumberCounter.objects.values_list("year", "last_number")) == {2026: 3, 2027: 1}


@pytest.mark.parametrize(
    "pattern",
    ["", "INV", "INV-{year}", "{number}{number}", "{number}-{year}", "{number:6}", "{number:010}", "{day}{number}", "a/{number}"],
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    refused(pattern, "unreadable")


@pytest.mark.parametrize("pattern", ["..{number}", ".{number}", "INV {number}", "Ü{number}", "x" * 41 + "{number}", "{number}{"])
def test_letters_that_names_of_files_and_addresses_do_not_take_are_refused(pattern: str) -> None:
    refused(pattern, "unreadable")


def test_a_series_that_starts_anew_without_its_year_is_refused() -> None:
    refused("A-{number}", "unreadable", resets=True)


@pytest.mark.parametrize(
    ("one", "other", "can"),
    [
        ("INV-{number:06}", "INV-{number:06}", True),
        ("INV-{number:06}", "CN-{number:06}", False),
        ("INV-{number:06}", "INV-{year}-{number:06}", False),
        ("INV-{number}", "INV-{year}{number}", True),  # INV-20261 is number 20261, or number 1 of 2026
        ("INV-{number:03}", "INV-{number:05}", True),  # INV-00100 is no number of the first, INV-10000 is of both
        ("A{number}", "A{number}B", False),
        ("A1{number}", "A{number}", True),
        ("{year}{number:04}", "{number:08}", True),
    ],
)
def test_two_patterns_collide_if_any_text_is_of_both(one: str, other: str, can: bool) -> None:
    assert (can_collide(one, other), can_collide(other, one)) == (can, can)


def test_a_pattern_that_could_write_another_series_numbers_is_refused_with_the_reason() -> None:
    save("INV-{number:06}")
    told = refused("INV-{year}{number}", "would_collide", entity=second())
    assert "INV-{number:06}" in told
    assert "Your company" in told
    refused("INV-{number:04}", "would_collide", kind=Kind.CREDIT_NOTE)


def test_a_number_that_was_given_does_not_come_again_through_another_series_or_a_restart() -> None:
    make_catalog()
    subscribe(make_customer())
    save("A-{year}-{number:04}")
    assert numbered(1) == "A-2026-0001"
    assert "A-2026-0001" in refused("A-{year}-{number:04}", "would_collide", resets=True)
    save("B-{year}-{number:04}", resets=True)  # other names: may start at 1
    assert "A-2026-0001" in refused("A-{year}-{number:04}", "would_collide", entity=second())
    assert numbered(2) == "B-2026-0001"


def test_the_same_again_writes_nothing() -> None:
    save("A-{number}")
    rows = row_counts()
    save("A-{number}")
    assert row_counts() == rows


class Aborted(Exception):
    """A made-up failure with the number in hand."""


@pytest.mark.django_db(transaction=True)
def test_sixteen_writers_on_three_counters_leave_no_gap_and_no_double_though_some_fail() -> None:
    seller, other = default_entity(), second()
    save("INV-{year}-{number:03}", resets=True)
    save("CN-{number:03}", kind=Kind.CREDIT_NOTE)
    save("S-{number:03}", entity=other)
    wanted: list[tuple[BillingEntity, NumberSeries.Kind, date]] = [
        *[(seller, Kind.INVOICE, date(2026, 12, 31)), (seller, Kind.INVOICE, date(2027, 1, 1))] * 20,
        *[(seller, Kind.CREDIT_NOTE, date(2026, 12, 31)), (other, Kind.INVOICE, date(2027, 1, 1))] * 20,
    ]
    turn = threading.Lock()
    given: list[str] = []
    attempts = 0

    def work() -> None:
        nonlocal attempts
        while True:
            with turn:
                if not wanted:
                    return
                entity, kind, day = wanted.pop()
                attempts += 1
                abort = attempts % 5 == 0
            try:
                with transaction.atomic():
                    text = next_number(entity, kind=kind, issued_on=day).text
                    if abort:
                        raise Aborted
                with turn:
                    given.append(text)
            except Aborted:
                with turn:
                    wanted.append((entity, kind, day))

    in_threads(*[work] * 16)
    expected = [f"{name}-{n:03d}" for name in ("INV-2026", "INV-2027", "CN", "S") for n in range(1, 21)]
    assert sorted(given) == sorted(expected)
    assert sorted(NumberCounter.objects.values_list("last_number", flat=True)) == [20, 20, 20, 20]
    assert attempts > 80


@pytest.mark.django_db(transaction=True)
def test_a_pattern_changed_while_others_finalise_leaves_no_gap() -> None:
    make_catalog()
    for number in range(12):
        subscribe(make_customer(f"customer-{number:02d}"))
    bill("2026-02-01", finalize=False)
    ids = list(Invoice.objects.values_list("pk", flat=True))
    half = threading.Barrier(4)

    def work(part: list[int]) -> None:
        half.wait()
        for invoice_id in part:
            finalize_invoice(invoice_id=invoice_id, as_of=at("2026-02-01"), actor=ACTOR, now=at("2026-02-01"))

    def change() -> None:
        half.wait()
        save("NEW-{number:06}")

    in_threads(change, *(lambda part=ids[n::3]: work(part) for n in range(3)))
    sequences = sorted(str(number)[-6:] for number in Invoice.objects.values_list("number", flat=True))
    assert sequences == [f"{n:06d}" for n in range(1, 13)]
