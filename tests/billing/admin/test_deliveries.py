"""Notices in the finance desk: what became of them, and what a person can do about it."""

from typing import Any

import pytest
from django.test import Client

from billing.delivery.feedback import take_report
from billing.delivery.suppression import suppress
from billing.invoicing.paying.payments import record_payment
from billing.models import BillingEntity, Delivery, Document, Payment, SuppressedAddress
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, at
from tests.billing.delivery.sns_messages import bounce, delivered
from tests.billing.desks import invoice_of, keep_document, small_books
from tests.customers.factories import UserFactory

pytestmark = pytest.mark.django_db
NOW = at("2026-02-10")
SELLER = {"code": "default", "name": "Northlight", "legal_name": "Northlight Ltd", "brand_color": "#3346a8", "timezone": "UTC"}


def delivery(**columns: Any) -> Delivery:
    invoice_of(small_books())
    Delivery.objects.update(**columns)
    return Delivery.objects.get()


def page(desk: Client, found: Delivery, action: str = "change") -> str:
    return desk.get(f"/admin/billing/delivery/{found.pk}/{action}/").content.decode()


def press(desk: Client, found: Delivery, action: str) -> str:
    answer = desk.post(f"/admin/billing/delivery/{found.pk}/{action}/", follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def actors(action: str) -> list[str]:
    return list(AuditEvent.objects.filter(action=action).values_list("actor_label", flat=True))


def test_a_held_notice_is_looked_at_and_sent_again(desk: Client) -> None:
    held = delivery(status="held", attempts=1, last_error="the answer was lost")
    shown = page(desk, held)
    assert "the answer was lost" in shown
    assert "It arrived: mark as sent" in shown
    assert "may have reached billing@acme.example already" in page(desk, held, "send-again")
    assert "It is on its way to billing@acme.example." in press(desk, held, "send-again")
    assert Delivery.objects.get().status == "queued"
    assert actors("delivery.sent_again") == ["finance@example.com"]


def test_a_held_notice_that_arrived_is_marked(desk: Client) -> None:
    held = delivery(status="held")
    assert "Did the notice of INV-000001 reach billing@acme.example?" in page(desk, held, "mark-as-sent")
    assert "It is marked as sent." in press(desk, held, "mark-as-sent")
    assert (Delivery.objects.get().status, actors("delivery.marked_as_sent")) == ("sent", ["finance@example.com"])


@pytest.mark.parametrize(("status", "offered"), [("queued", set()), ("failed", {"send-again"}), ("sent", {"send-again"})])
def test_only_what_can_be_done_is_offered(desk: Client, status: str, offered: set[str]) -> None:
    found = delivery(status=status)
    shown = page(desk, found)
    assert {name for name in ("send-again", "mark-as-sent") if f"/{found.pk}/{name}/" in shown} == offered


def test_a_refusal_is_told_and_changes_nothing(desk: Client) -> None:
    failed = delivery(status="failed")
    suppress(address="billing@acme.example", reason=SuppressedAddress.Reason.BOUNCE, detail="", actor=ACTOR, now=NOW)
    assert "lift the suppression" in press(desk, failed, "send-again")
    assert (Delivery.objects.get().status, actors("delivery.sent_again")) == ("failed", [])


@pytest.mark.parametrize(
    ("state", "columns", "found"),
    [
        ("waiting", {"status": "held"}, True),
        ("waiting", {"status": "failed"}, True),
        ("waiting", {"status": "sent"}, False),
        ("bounced", {"status": "sent", "bounced_at": NOW}, True),
        ("bounced", {"status": "sent"}, False),
        ("sent", {"status": "sent"}, True),
    ],
)
def test_the_list_is_narrowed_by_what_waits_and_what_came_back(
    desk: Client, state: str, columns: dict[str, Any], found: bool
) -> None:
    delivery(**columns)
    listed = desk.get(f"/admin/billing/delivery/?state={state}").content.decode()
    assert ("billing@acme.example" in listed) is found


def test_what_the_provider_said_is_on_the_pages(desk: Client) -> None:
    sent = delivery(status="sent", message_id="ses-1", sent_at=at("2026-02-02"))
    take_report(notification_id="1", event=delivered(), now=NOW)
    assert "arrived" in desk.get(f"/admin/billing/invoice/{sent.invoice_id}/change/").content.decode()
    take_report(notification_id="2", event=bounce(), now=NOW)
    shown = page(desk, sent)
    assert "smtp; 550 5.1.1 user unknown" in shown
    assert "250 ok" in shown
    invoice_page = desk.get(f"/admin/billing/invoice/{sent.invoice_id}/change/").content.decode()
    assert "came back" in invoice_page
    assert "nothing more is sent there" in invoice_page


def test_a_suppressed_address_is_shown_with_its_customer_and_lifted(desk: Client) -> None:
    customer = small_books()
    suppress(address="billing@acme.example", reason=SuppressedAddress.Reason.COMPLAINT, detail="abuse", actor=ACTOR, now=NOW)
    suppressed = SuppressedAddress.objects.get()
    assert "No mail reaches this customer" in desk.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    assert "complaint · abuse" in desk.get("/admin/billing/suppressedaddress/").content.decode()
    url = f"/admin/billing/suppressedaddress/{suppressed.pk}"
    assert "providers punish senders" in desk.get(f"{url}/lift/").content.decode()
    done = desk.post(f"{url}/lift/", follow=True).content.decode()
    assert "Mail goes to billing@acme.example again." in done
    assert f"{suppressed.pk}/lift/" not in desk.get(f"{url}/change/").content.decode()
    assert actors("address.lifted") == ["finance@example.com"]
    assert "No mail reaches" not in desk.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()


def test_who_may_only_look_can_do_nothing(client: Client) -> None:
    held = delivery(status="held")
    suppress(address="billing@acme.example", reason=SuppressedAddress.Reason.BOUNCE, detail="", actor=ACTOR, now=NOW)
    client.force_login(UserFactory.create(is_staff=True))
    for path in (f"delivery/{held.pk}/send-again/", f"delivery/{held.pk}/mark-as-sent/"):
        assert client.post(f"/admin/billing/{path}").status_code == 403
    assert client.post(f"/admin/billing/suppressedaddress/{SuppressedAddress.objects.get().pk}/lift/").status_code == 403
    assert (Delivery.objects.get().status, SuppressedAddress.objects.get().lifted_at) == ("held", None)


@pytest.mark.parametrize(
    ("written", "stored"),
    [("", []), ("-3, 1, 7, 14", [-3, 1, 7, 14]), ("−3 1;7", [-3, 1, 7]), ("-60, 365", [-60, 365]), ("+5", [5])],
)
def test_reminder_days_are_written_with_commas(desk: Client, written: str, stored: list[int]) -> None:
    small_books()
    entity = BillingEntity.objects.get()
    answer = desk.post(f"/admin/billing/billingentity/{entity.pk}/change/", SELLER | {"reminder_days": written})
    assert answer.status_code == 302
    assert BillingEntity.objects.get().reminder_days == stored
    shown = desk.get(f"/admin/billing/billingentity/{entity.pk}/change/").content.decode()
    assert ", ".join(str(day) for day in stored) in shown


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1, x", "Write whole numbers with commas between them"),
        ("1.5", "Write whole numbers"),
        ("-61", "at most 60 days before the due date and 365 days after it"),
        ("366", "at most 60 days before"),
        ("7, 1", "in rising order, each once"),
        ("1, 1", "in rising order, each once"),
        ("99999999999", "Write whole numbers"),
    ],
)
def test_reminder_days_that_cannot_be_used_are_refused(desk: Client, written: str, said: str) -> None:
    small_books()
    entity = BillingEntity.objects.get()
    answer = desk.post(f"/admin/billing/billingentity/{entity.pk}/change/", SELLER | {"reminder_days": written})
    assert said in answer.content.decode()
    assert BillingEntity.objects.get().reminder_days == []


def test_a_receipt_is_sent_and_shown(desk: Client) -> None:
    invoice = invoice_of(small_books())
    payment = record_payment(
        invoice_id=invoice.pk, amount_minor=1000, received_on=NOW.date(), reference="BANK-7", actor=ACTOR, now=NOW
    )
    url = f"/admin/billing/payment/{payment.pk}"
    assert desk.get(f"{url}/receipt/").status_code == 404
    assert 'value="billing@acme.example"' in desk.get(f"{url}/send-receipt/").content.decode()
    sent = desk.post(f"{url}/send-receipt/", {"recipient": "billing@acme.example"}, follow=True)
    assert "The receipt is on its way to billing@acme.example." in sent.content.decode()
    assert Delivery.objects.get(payment=payment).kind == "receipt"
    kept = keep_document(invoice)
    Document.objects.create(
        payment=Payment.objects.get(),
        storage_key=kept.storage_key + "x",
        sha256=kept.sha256,
        size_bytes=1,
        renderer="tests",
        rendered_at=NOW,
    )
    answer = desk.get(f"{url}/receipt/", follow=True)  # its file is not there: said on its page
    assert "it is not handed out, and has been logged" in answer.content.decode()
    assert f"{payment.pk}/receipt/" in desk.get(f"{url}/change/").content.decode()
