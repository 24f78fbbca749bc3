"""
The part of SES that moto leaves out: the mails that were sent can be read, and what becomes of them is reported.

Reports go where the configuration set says, over SNS. As on AWS the address decides what happens to a mail: Amazon's simulator
addresses bounce and complain, and everything else is delivered.
"""

import base64
import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from moto.sns.models import sns_backends

from infra.localaws import ACCOUNT, REGION

_SIMULATOR: Final = "simulator.amazonses.com"


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail that SES accepted."""

    message_id: str
    recipients: tuple[str, ...]
    configuration_set: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """Return the mail, parsed."""
        return message_from_bytes(self.raw, policy=policy.default)


@dataclass(slots=True)
class Mailbox:
    """Everything that was sent since the start."""

    sent: list[SentMail] = field(default_factory=list)
    _destinations: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        """Forget mails and destinations."""
        with self._lock:
            self.sent.clear()
            self._destinations.clear()

    def report_to(self, configuration_set: str, topic_arn: str, kinds: set[str]) -> None:
        """Report these kinds of events of a configuration set to a topic."""
        self._destinations[configuration_set] = (topic_arn, kinds)

    def report_no_more(self, configuration_set: str) -> None:
        """Forget where a configuration set reports to."""
        self._destinations.pop(configuration_set, None)

    def take(self, request: dict[str, Any], message_id: str) -> None:
        """Keep a mail that SendEmail (v2) has accepted, and report what becomes of it."""
        destination = request.get("Destination", {})
        recipients = [
            *destination.get("ToAddresses", ()),
            *destination.get("CcAddresses", ()),
            *destination.get("BccAddresses", ()),
        ]
        raw = base64.b64decode(request.get("Content", {}).get("Raw", {}).get("Data", ""))
        # A raw mail may name it itself, as django-ses has it do.
        named = message_from_bytes(raw, policy=policy.default).get("X-SES-CONFIGURATION-SET", "")
        mail = SentMail(message_id, tuple(recipients), request.get("ConfigurationSetName") or str(named), raw)
        with self._lock:
            self.sent.append(mail)
        for recipient in recipients:
            name, _at, domain = recipient.rpartition("@")
            if domain != _SIMULATOR:
                self.report(mail, "Delivery", [recipient])
            elif name.partition("+")[0] in ("bounce", "complaint"):
                self.report(mail, name.partition("+")[0].title(), [recipient])

    def report(self, mail: SentMail, kind: str, addresses: list[str]) -> None:
        """Publish an event (Delivery, Bounce, Complaint) of a mail; nothing if its configuration set reports no such event."""
        topic_arn, kinds = self._destinations.get(mail.configuration_set, ("", set()))
        if kind.upper() not in kinds:
            return
        event = {"eventType": kind, "mail": _mail(mail), kind.lower(): _outcome(kind, addresses)}
        sns_backends[ACCOUNT][REGION].publish(message=json.dumps(event), arn=topic_arn)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def _mail(mail: SentMail) -> dict[str, Any]:
    headers = [{"name": name, "value": str(value)} for name, value in mail.message.items()]
    return {"timestamp": _now(), "messageId": mail.message_id, "destination": list(mail.recipients), "headers": headers}


def _outcome(kind: str, addresses: list[str]) -> dict[str, Any]:
    if kind == "Delivery":
        return {"timestamp": _now(), "recipients": addresses, "smtpResponse": "250 2.0.0 OK", "processingTimeMillis": 5}
    if kind == "Complaint":
        people = [{"emailAddress": address} for address in addresses]
        return {
            "timestamp": _now(),
            "complainedRecipients": people,
            "complaintFeedbackType": "abuse",
            "feedbackId": uuid.uuid4().hex,
        }
    why = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    people = [{"emailAddress": address, **why} for address in addresses]
    return {
        "timestamp": _now(),
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": people,
        "feedbackId": uuid.uuid4().hex,
    }


mailbox: Final = Mailbox()
