"""What the provider reports: once each, on the delivery that it is about, and with its consequences."""

from typing import Any

import pytest
from django.core import mail

from billing.delivery.deliver import deliver
from billing.delivery.feedback import report_words, reports_of, take_report
from billing.delivery.mails import reference
from billing.models import Delivery, MailReport, SuppressedAddress
from tests.billing.builders import at
from tests.billing.delivery.sns_messages import bounce, complaint, delivered
from tests.billing.desks import invoice_of, small_books

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("documents", "renderings")]

NOW = at("2026-02-03T10:00:00Z")


def sent(**columns: Any) -> Delivery:
    """The one notice of small_books, sent as ses-1."""
    invoice_of(small_books())
    Delivery.objects.update(**({"status": "sent", "message_id": "ses-1", "attempts": 1, "sent_at": at("2026-02-02")} | columns))
    return Delivery.objects.get()


def take(event: dict[str, Any], notification_id: str = "note-1") -> MailReport | None:
    return take_report(notification_id=notification_id, event=event, now=NOW)


def suppressed() -> list[tuple[str, str, str]]:
    return list(SuppressedAddress.objects.values_list("address", "reason", "detail"))


def test_a_bounce_for_good_marks_the_delivery_and_the_address() -> None:
    sent()
    report = take(bounce())
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.bounced_at) == ("sent", at("2026-02-03T09:59:58Z"))
    assert delivery.last_error == "it came back: Permanent, General, smtp; 550 5.1.1 user unknown"
    assert suppressed() == [("billing@acme.example", "bounce", "smtp; 550 5.1.1 user unknown")]
    assert report is not None
    assert (report.kind, report.delivery, report.message_id) == ("bounce", delivery, "ses-1")
    assert report_words(report) == "Permanent, General, smtp; 550 5.1.1 user unknown"
    assert list(reports_of(delivery)) == [report]


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_a_bounce_that_may_pass_is_only_noted(kind: str) -> None:
    sent()
    take(bounce(kind=kind))
    assert Delivery.objects.get().bounced_at is not None
    assert suppressed() == []


def test_a_complaint_marks_both_and_one_that_says_it_is_none_only_the_delivery() -> None:
    sent()
    take(complaint(kind="not-spam"), "note-1")
    assert suppressed() == []
    take(complaint(), "note-2")
    assert Delivery.objects.get().complained_at == at("2026-02-04")
    assert suppressed() == [("billing@acme.example", "complaint", "abuse")]


def test_an_arrival_is_noted_and_the_same_notification_counts_once() -> None:
    sent()
    assert take(delivered()) is not None
    assert take(bounce()) is None  # the same notification id, whatever it says
    delivery = Delivery.objects.get()
    assert (delivery.delivered_at, delivery.bounced_at) == (at("2026-02-02T00:00:07Z"), None)
    assert (MailReport.objects.count(), suppressed()) == (1, [])


def test_a_mail_that_is_not_ours_is_kept_without_a_delivery_and_its_address_counts() -> None:
    sent()
    report = take(bounce("somebody-elses", address="other@acme.example"))
    assert report is not None
    assert report.delivery is None
    assert Delivery.objects.get().bounced_at is None
    assert [address for address, *_rest in suppressed()] == ["other@acme.example"]


def test_a_report_that_comes_before_we_have_noted_the_id_is_not_lost(settings: Any) -> None:
    invoice = invoice_of(small_books())
    take(bounce("provider-7", address="Billing@acme.example"))
    settings.EMAIL_BACKEND = "tests.billing.delivery.mail_backends.Answering"
    SuppressedAddress.objects.all().delete()  # it is about the first mail; else this one would not go out
    deliver(invoice, now=at("2026-02-02"))
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.bounced_at) == ("sent", at("2026-02-03T09:59:58Z"))


@pytest.mark.parametrize("event", [delivered, bounce])
def test_a_held_notice_is_sent_once_the_provider_speaks_of_it(event: Any) -> None:
    sent(status="held", message_id="", sent_at=None)
    ours = [{"name": "Subject", "value": "x"}, {"name": "X-Entity-Ref-ID", "value": reference(Delivery.objects.get())}]
    take(event("ses-9", headers=ours))
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.message_id, delivery.sent_at) == ("sent", "ses-9", at("2026-02-02T00:00:05Z"))
    deliver(invoice_of(delivery.invoice.customer), now=NOW)  # type: ignore[union-attr]
    assert mail.outbox == []


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "a.invoice.99999999999999999999", "a.invoice.²", "a.invoice.1"])
def test_a_reference_that_is_not_ours_moves_nothing(value: str) -> None:
    sent(status="held", message_id="", sent_at=None)
    take(delivered("ses-9", headers=[{"name": "X-Entity-Ref-ID", "value": value}, "odd", {"name": 1}]))
    assert (Delivery.objects.get().status, MailReport.objects.get().delivery) == ("held", None)


def test_a_mail_that_was_taken_and_then_rejected_has_failed() -> None:
    sent()
    take({"eventType": "Reject", "mail": {"messageId": "ses-1"}, "reject": {"reason": "Bad content"}})
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.last_error) == ("failed", "the provider did not send it after all: Bad content")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"eventType": "Bounce"},
        {"eventType": "Bounce", "mail": [], "bounce": "x"},
        {"eventType": 7, "mail": {"messageId": None}},
        {
            "eventType": "Bounce",
            "mail": {"messageId": "ses-1"},
            "bounce": {"bounceType": "Permanent", "bouncedRecipients": ["x"]},
        },
        {"eventType": "Complaint", "mail": {"messageId": "ses-1"}, "complaint": {"complainedRecipients": [{"emailAddress": 5}]}},
        {"eventType": "Delivery", "mail": {"messageId": "ses-1\0"}, "delivery": {"timestamp": "yesterday", "smtpResponse": "\0"}},
    ],
)
def test_odd_events_are_kept_and_break_nothing(event: dict[str, Any]) -> None:
    sent()
    assert take(event) is not None
    assert suppressed() == []
