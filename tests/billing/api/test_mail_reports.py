"""The door of SNS: signed messages of our topic are taken, once; everything else is refused and changes nothing."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from billing.delivery import sns
from billing.models import Delivery, MailReport, SuppressedAddress
from customers.models import AuditEvent
from tests.billing.delivery import sns_messages
from tests.billing.delivery.sns_messages import CERTIFICATE_URL, TOPIC, bounce, notification, subscription
from tests.billing.desks import small_books

pytestmark = pytest.mark.django_db


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[str]:
    """Serve the certificate in the place of Amazon, and note what is fetched."""
    settings.SQUILL_SES_TOPIC_ARN = TOPIC
    addresses: list[str] = []

    def fetch(url: str) -> bytes:
        addresses.append(url)
        return sns_messages.certificate()

    monkeypatch.setattr("billing.delivery.sns.fetch", fetch)
    monkeypatch.setattr("billing.delivery.sns._certificates", {})
    return addresses


def post(message: Any, *, client: Client | None = None) -> int:
    body = message if isinstance(message, str | bytes) else json.dumps(message)
    posting = client or Client(enforce_csrf_checks=True)
    return posting.post("/hooks/ses", body, content_type="text/plain").status_code


def written() -> tuple[int, int, int]:
    return MailReport.objects.count(), SuppressedAddress.objects.count(), AuditEvent.objects.filter(object_type="address").count()


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_signed_bounce_is_kept_and_suppresses(fetched: list[str], version: str) -> None:
    small_books()
    Delivery.objects.update(status="sent", message_id="ses-1")
    for number in (1, 2):
        assert post(notification(bounce(), message_id=f"note-{number}", version=version)) == 200
    assert fetched == [CERTIFICATE_URL]  # kept after the first
    assert written() == (2, 1, 1)
    assert Delivery.objects.get().bounced_at is not None


def test_a_replay_changes_nothing(fetched: list[str]) -> None:
    message = notification(bounce())
    assert [post(message) for _time in range(3)] == [200, 200, 200]
    assert written() == (1, 1, 1)


def forged(**changes: Any) -> dict[str, Any]:
    return notification(bounce()) | changes


@pytest.mark.parametrize(
    "message",
    [
        forged(Message=json.dumps(bounce(address="victim@acme.example"))),
        forged(MessageId="note-2"),
        forged(Signature=""),
        forged(Signature="not base64!"),
        forged(Signature="AAAA"),
        forged(SignatureVersion="3"),
        forged(SignatureVersion=None),
        forged(Type="Something"),
        forged(Type="SubscriptionConfirmation"),
        notification(bounce(), topic="arn:aws:sns:eu-central-1:666666666666:squill-mail"),
        forged(TopicArn=None),
        {},
    ],
)
def test_what_is_not_signed_for_our_topic_is_refused(fetched: list[str], message: dict[str, Any]) -> None:
    assert post(message) == 403
    assert written() == (0, 0, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-a.pem",
        "https://evil.example/SimpleNotificationService-a.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-a.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-a.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-a.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-a.pem",
        "https://sns.eu-central-1.amazonaws.com/other.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-a.pem?x=1",
        "file:///etc/passwd",
        "",
    ],
)
def test_certificates_come_from_amazon_alone(fetched: list[str], url: str) -> None:
    assert post(forged(SigningCertURL=url)) == 403
    assert (fetched, written()) == ([], (0, 0, 0))


def test_another_topic_is_refused_before_anything_is_fetched(fetched: list[str]) -> None:
    assert post(notification(bounce(), topic="arn:aws:sns:eu-central-1:666666666666:x")) == 403
    assert fetched == []


def test_without_a_topic_everything_is_refused(fetched: list[str], settings: Settings) -> None:
    settings.SQUILL_SES_TOPIC_ARN = ""
    assert post(notification(bounce(), topic="")) == 403
    assert post(notification(bounce())) == 403
    assert (fetched, written()) == ([], (0, 0, 0))


def test_a_certificate_that_cannot_be_had_is_asked_for_again(fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    working = sns.fetch

    def unreachable(url: str) -> bytes:
        raise sns.SnsUnreachable(url)

    monkeypatch.setattr("billing.delivery.sns.fetch", unreachable)
    assert post(notification(bounce())) == 503
    assert written() == (0, 0, 0)
    monkeypatch.setattr("billing.delivery.sns.fetch", working)
    assert post(notification(bounce())) == 200
    assert written() == (1, 1, 1)


def test_what_is_no_certificate_is_refused(fetched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.delivery.sns.fetch", lambda _url: b"<html>")
    assert post(notification(bounce())) == 403


@pytest.mark.parametrize("body", ["", "[]", "not json", "[" * 100_000, b"\xff\xfe", '{"a": '])
def test_what_cannot_be_read_is_refused(fetched: list[str], body: str | bytes) -> None:
    assert post(body) == 400
    assert written() == (0, 0, 0)


def test_a_flood_is_refused_unread(fetched: list[str]) -> None:
    assert post("x" * 1_048_577) == 413
    lying = Client().post("/hooks/ses", "{}", content_type="text/plain", CONTENT_LENGTH="999999999999")
    assert lying.status_code == 413
    odd = Client().post("/hooks/ses", "{}", content_type="text/plain", CONTENT_LENGTH="-5")
    assert odd.status_code == 413
    assert written() == (0, 0, 0)


def test_only_post_is_answered(fetched: list[str], client: Client) -> None:
    assert client.get("/hooks/ses").status_code == 405


def test_a_subscription_of_our_topic_is_confirmed_at_amazons(fetched: list[str]) -> None:
    assert post(subscription()) == 200
    assert fetched[1:] == ["https://sns.eu-central-1.amazonaws.com/?Action=Confirm"]


@pytest.mark.parametrize(
    "message",
    [
        subscription(topic="arn:aws:sns:eu-central-1:666666666666:x"),
        subscription(url="https://evil.example/?Action=Confirm"),
        subscription(url="http://169.254.169.254/latest/meta-data"),
        subscription() | {"SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Other"},
    ],
)
def test_no_other_subscription_is_confirmed(fetched: list[str], message: dict[str, Any]) -> None:
    assert post(message) == 403
    assert [url for url in fetched if url != CERTIFICATE_URL] == []


def test_a_greeting_that_is_no_event_is_taken_and_not_kept(fetched: list[str]) -> None:
    assert post(notification("Successfully validated SNS topic for Amazon SES event publishing.")) == 200
    assert written() == (0, 0, 0)
