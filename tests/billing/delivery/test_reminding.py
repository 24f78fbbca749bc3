"""Reminders go out on their days, once each, never in a bunch, and a payment stops them."""

from datetime import date
from typing import Any

import pytest
from django.core import mail
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.delivery.deliver import deliver
from billing.delivery.reminding import reminder_due, send_reminders
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.models import BillingEntity, BillingProfile, Delivery, Invoice
from billing.reconciliation.documents import check_documents
from tests.billing.builders import ACTOR, at
from tests.billing.desks import invoice_of, small_books
from tests.usage.builders import in_threads

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents", "renderings")]

DAYS = [-3, 1, 7, 14]


def open_invoice(days: list[int] | None = None, **fields: Any) -> Invoice:
    """30.00, issued 1 February, due by 3 March; reminded of on 28 February, 4, 10 and 17 March."""
    invoice = invoice_of(small_books(**fields))
    BillingEntity.objects.update(reminder_days=DAYS if days is None else days)
    return invoice


def reminders() -> list[tuple[str, str, str]]:
    found = Delivery.objects.filter(kind="reminder").order_by("pk")
    return list(found.values_list("occasion", "status", "recipient"))


def occasions() -> list[str]:
    return [occasion for occasion, _status, _recipient in reminders()]


def test_each_day_reminds_once_and_no_other() -> None:
    invoice = open_invoice()
    sent: dict[str, int] = {}
    for day in (
        "2026-02-27",
        "2026-02-28",
        "2026-03-01",
        "2026-03-03",
        "2026-03-04",
        "2026-03-05",
        "2026-03-10",
        "2026-03-17",
        "2026-05-01",
    ):
        for hour in ("00:30", "23:30"):
            sent[day] = sent.get(day, 0) + send_reminders(at(f"{day}T{hour}:00Z"))
        deliver(invoice, now=at(f"{day}T23:30:00Z"))
    assert [day for day, count in sent.items() if count] == ["2026-02-28", "2026-03-04", "2026-03-10", "2026-03-17"]
    assert set(sent.values()) == {0, 1}
    assert reminders() == [(occasion, "sent", "billing@acme.example") for occasion in ("-3", "+1", "+7", "+14")]
    subjects = [message.subject.partition(":")[0] for message in mail.outbox]
    assert subjects == ["Invoice INV-000001 from Your company", "Reminder", "Overdue", "Overdue", "Overdue"]
    assert check_documents().differences == ()


def test_days_that_were_missed_are_not_sent_in_a_bunch() -> None:
    open_invoice()
    assert send_reminders(at("2026-03-12")) == 1
    assert occasions() == ["+7"]
    assert send_reminders(at("2026-03-13")) == 0


def test_a_reminder_that_waited_gives_way_to_the_next() -> None:
    invoice = open_invoice()
    send_reminders(at("2026-03-04"))
    send_reminders(at("2026-03-10"))
    assert [(occasion, status) for occasion, status, _to in reminders()] == [("+1", "cancelled"), ("+7", "queued")]
    deliver(invoice, now=at("2026-03-10"))
    assert len([message for message in mail.outbox if message.subject.startswith("Overdue")]) == 1


def test_what_is_to_come_is_not_announced_after_the_due_date() -> None:
    open_invoice([-3])
    assert send_reminders(at("2026-03-04")) == 0
    assert send_reminders(at("2026-03-03")) == 1


@pytest.mark.parametrize(
    ("due", "issued", "today", "day"),
    [
        (date(2026, 3, 3), date(2026, 3, 1), date(2026, 3, 1), None),  # the day of the invoice itself
        (date(2026, 3, 5), date(2026, 3, 1), date(2026, 3, 2), -3),
        (date(2026, 3, 1), date(2026, 3, 1), date(2026, 3, 2), 1),  # due at once, and late
        (date(2026, 3, 31), date(2026, 3, 1), date(2026, 4, 6), 1),
        (date(2026, 3, 31), date(2026, 3, 1), date(2027, 3, 31), 14),
    ],
)
def test_the_newest_day_that_has_come(due: date, issued: date, today: date, day: int | None) -> None:
    assert reminder_due(days=DAYS, due_on=due, issued_on=issued, today=today) == day


def test_the_day_is_the_customers() -> None:
    open_invoice(timezone="Pacific/Auckland")  # 4 March begins there at 11:00 UTC on the 3rd
    BillingEntity.objects.update(reminder_days=[1])
    assert send_reminders(at("2026-03-03T10:59:00Z")) == 0
    assert send_reminders(at("2026-03-03T11:00:00Z")) == 1


def test_nobody_is_reminded_of_what_is_paid_void_given_up_or_a_draft() -> None:
    invoice = open_invoice()
    record_payment(
        invoice_id=invoice.pk, amount_minor=3000, received_on=date(2026, 3, 4), reference="1", actor=ACTOR, now=at("2026-03-04")
    )
    assert send_reminders(at("2026-03-10")) == 0
    assert reminders() == []


def test_a_void_invoice_is_not_reminded_of() -> None:
    invoice = open_invoice()
    send_reminders(at("2026-03-04"))
    void_invoice(invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=at("2026-03-05"))
    assert send_reminders(at("2026-03-10")) == 0
    assert reminders() == [("+1", "cancelled", "billing@acme.example")]


def test_a_part_that_is_left_is_reminded_of() -> None:
    invoice = open_invoice()
    record_payment(
        invoice_id=invoice.pk, amount_minor=2999, received_on=date(2026, 3, 4), reference="1", actor=ACTOR, now=at("2026-03-04")
    )
    assert send_reminders(at("2026-03-10")) == 1


def test_a_customer_who_gets_none_gets_none() -> None:
    invoice = open_invoice()
    BillingProfile.objects.create(customer=invoice.customer, reminders_paused=True)
    assert send_reminders(at("2026-03-10")) == 0
    BillingProfile.objects.update(reminders_paused=False)
    assert send_reminders(at("2026-03-10")) == 1


def test_without_days_or_an_address_nothing_is_sent() -> None:
    open_invoice([])
    assert send_reminders(at("2026-03-10")) == 0
    BillingEntity.objects.update(reminder_days=DAYS)
    Invoice.objects.get().customer.__class__.objects.update(email="")
    assert send_reminders(at("2026-03-10")) == 0
    assert (reminders(), ProcrastinateJob.objects.count()) == ([], 1)


def test_another_address_does_not_bring_the_same_day_again() -> None:
    invoice = open_invoice()
    send_reminders(at("2026-03-10"))
    type(invoice.customer).objects.update(email="new@acme.example")
    assert send_reminders(at("2026-03-10")) == 0
    assert send_reminders(at("2026-03-17")) == 1
    assert reminders()[-1] == ("+14", "queued", "new@acme.example")


def test_it_stops_at_the_deadline_and_goes_on_the_next_time() -> None:
    open_invoice()
    assert send_reminders(at("2026-03-10"), deadline=lambda: True) == 0
    assert send_reminders(at("2026-03-10"), deadline=lambda: False) == 1


@pytest.mark.django_db(transaction=True)
def test_several_at_once_remind_once() -> None:
    open_invoice()
    counts = in_threads(*[lambda: send_reminders(at("2026-03-10"))] * 4)
    assert sorted(map(str, counts)) == ["0", "0", "0", "1"]
    assert occasions() == ["+7"]
