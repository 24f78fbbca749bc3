"""Messages as Amazon SNS signs them, with a key and a certificate of this test run."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-central-1:123456789012:squill-mail"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


@lru_cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache
def certificate() -> bytes:
    """The certificate as it lies at Amazon's."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365))
        .sign(key(), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def signed(message: dict[str, Any], *, version: str = "1") -> dict[str, Any]:
    """The message with its signature: SHA-1 in version 1, SHA-256 in version 2."""
    message = {"SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL, **message}
    text = "".join(f"{name}\n{message[name]}\n" for name in _SIGNED[message["Type"]] if message.get(name))
    algorithm: hashes.HashAlgorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 (what SNS signs with)
    signature = key().sign(text.encode(), padding.PKCS1v15(), algorithm)
    return message | {"Signature": base64.b64encode(signature).decode()}


def notification(
    event: dict[str, Any] | str, *, message_id: str = "note-1", topic: str = TOPIC, version: str = "1"
) -> dict[str, Any]:
    text = event if isinstance(event, str) else json.dumps(event)
    return signed(
        {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": topic,
            "Message": text,
            "Timestamp": "2026-02-03T10:00:00.000Z",
        },
        version=version,
    )


def subscription(*, topic: str = TOPIC, url: str = "https://sns.eu-central-1.amazonaws.com/?Action=Confirm") -> dict[str, Any]:
    return signed(
        {
            "Type": "SubscriptionConfirmation",
            "MessageId": "note-0",
            "TopicArn": topic,
            "Message": "You have chosen to subscribe",
            "SubscribeURL": url,
            "Token": "t",
            "Timestamp": "2026-02-03T10:00:00.000Z",
        }
    )


def _mail(message_id: str, **mail: Any) -> dict[str, Any]:
    return {"messageId": message_id, "timestamp": "2026-02-02T00:00:05.000Z", "destination": ["billing@acme.example"], **mail}


def bounce(
    message_id: str = "ses-1", *, kind: str = "Permanent", address: str = "billing@acme.example", **mail: Any
) -> dict[str, Any]:
    people = [{"emailAddress": address, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]
    said = {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": people, "timestamp": "2026-02-03T09:59:58.000Z"}
    return {"eventType": "Bounce", "mail": _mail(message_id, **mail), "bounce": said}


def complaint(message_id: str = "ses-1", *, kind: str = "abuse") -> dict[str, Any]:
    people = [{"emailAddress": "Billing@Acme.example"}]
    said = {"complainedRecipients": people, "complaintFeedbackType": kind, "timestamp": "2026-02-04T00:00:00.000Z"}
    return {"notificationType": "Complaint", "mail": _mail(message_id), "complaint": said}


def delivered(message_id: str = "ses-1", **mail: Any) -> dict[str, Any]:
    said = {"timestamp": "2026-02-02T00:00:07.000Z", "smtpResponse": "250 ok", "recipients": ["billing@acme.example"]}
    return {"eventType": "Delivery", "mail": _mail(message_id, **mail), "delivery": said}
