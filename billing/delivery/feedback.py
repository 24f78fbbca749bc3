"""What the provider reports of a mail afterwards: kept once, noted on its delivery, and an address that fails is suppressed."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.delivery.mails import reference
from billing.delivery.suppression import suppress
from billing.models import Delivery, MailReport, SuppressedAddress
from squill.lib.actor import system
from squill.lib.clock import parse_instant

_ACTOR: Final = system("ses")
_Reason = SuppressedAddress.Reason
# The members of SES's events, by the kind that we keep.
_KINDS: Final = ("bounce", "complaint", "delivery", "reject", "deliveryDelay", "renderingFailure", "send", "open", "click")
# A complaint that says that it is none.
_NOT_SPAM: Final = "not-spam"


@transaction.atomic
def take_report(*, notification_id: str, event: Mapping[str, Any], now: datetime) -> MailReport | None:
    """
    Keep what SES reported and draw the consequences; None if the notification is there already, which changes nothing.

    A bounce for good, and a complaint, suppress the address. An event tells besides that the mail went out, so one that was held
    for want of an answer becomes sent. Mails that are not ours are kept without a delivery; their addresses count all the same.

    :param event: SES's record of the event, from a message whose signature was verified
    """
    kind = _kind(event)
    mail = _member(event, "mail")
    message_id = _text(mail.get("messageId"))[:255]
    delivery = _delivery_of(mail, message_id, now)
    detail = {"mail": {name: mail.get(name) for name in ("timestamp", "source", "destination")}, kind: _member(event, kind)}
    report, is_new = MailReport.objects.get_or_create(
        notification_id=_text(notification_id)[:255],
        defaults={
            "kind": kind[:32],
            "message_id": message_id,
            "delivery": delivery,
            "detail": _storable(detail),
            "received_at": now,
        },
    )
    if not is_new:
        return None
    if delivery is not None:
        _note(delivery, report)
    customer_id = _customer_of(delivery) if delivery is not None else None
    for address, reason, words in _failing(kind, _member(event, kind)):
        suppress(address=address, reason=reason, detail=words, actor=_ACTOR, now=now, customer_id=customer_id)
    return report


def note_earlier_reports(*, delivery_id: int, message_id: str) -> None:
    """Note on a delivery what was reported before its id of the provider was written down. Two queries, mostly."""
    for report in MailReport.objects.filter(message_id=message_id, delivery=None).order_by("pk"):
        _note(Delivery.objects.get(pk=delivery_id), report)


def reports_of(delivery: Delivery) -> QuerySet[MailReport]:
    """Return what was reported of the mails of a delivery, oldest first."""
    found = MailReport.objects.filter(delivery=delivery)
    if delivery.message_id:
        found |= MailReport.objects.filter(message_id=delivery.message_id)
    return found.order_by("received_at", "pk")


def report_words(report: MailReport) -> str:
    """Return what the provider said, in one line."""
    said = _member(report.detail, report.kind)
    people = [each for name in ("bouncedRecipients", "complainedRecipients") for each in _people(said, name)]
    parts = [said.get(name) for name in ("bounceType", "bounceSubType", "complaintFeedbackType", "reason", "smtpResponse")]
    parts += [each.get("diagnosticCode") for each in people]
    return ", ".join(str(part) for part in parts if part)


def _kind(event: Mapping[str, Any]) -> str:
    """Return the kind as its member is called; SES writes `Bounce` in eventType, or notificationType, and `bounce` as member."""
    given = str(event.get("eventType") or event.get("notificationType") or "")
    name = given[:1].lower() + given[1:].replace(" ", "")
    return name if name in _KINDS else "other"


def _delivery_of(mail: Mapping[str, Any], message_id: str, now: datetime) -> Delivery | None:
    """Find the delivery by the provider's id; one whose answer was lost has none, and is found by our own reference."""
    if message_id:
        known = Delivery.objects.filter(message_id=message_id).order_by("pk").first()
        if known is not None:
            return known
    ours = next((value for name, value in _headers(mail) if name.lower() == "x-entity-ref-id"), "")
    digits = ours.split(".")[2:3]
    if not digits or not digits[0].isascii() or not digits[0].isdigit() or len(digits[0]) > 18:
        return None
    unanswered = [Delivery.Status.SENDING, Delivery.Status.HELD, Delivery.Status.QUEUED]
    delivery = Delivery.objects.filter(pk=int(digits[0]), status__in=unanswered).first()
    if delivery is None or reference(delivery) != ours:
        return None
    sent_at = _instant(mail.get("timestamp"), now)
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Delivery.Status.SENT, message_id=message_id, sent_at=sent_at, last_error=""
    )
    delivery.message_id = message_id
    return delivery


def _note(delivery: Delivery, report: MailReport) -> None:
    columns = {"delivery": "delivered_at", "bounce": "bounced_at", "complaint": "complained_at"}
    said = _member(report.detail, report.kind)
    at = _instant(said.get("timestamp"), report.received_at)
    if report.kind in columns:
        column = columns[report.kind]
        Delivery.objects.filter(pk=delivery.pk, **{column: None}).update(**{column: at})
    if report.kind == "bounce":
        Delivery.objects.filter(pk=delivery.pk).update(last_error=_("it came back: %(said)s") % {"said": report_words(report)})
    if report.kind in ("reject", "renderingFailure"):  # taken, and then not sent after all
        refused = _("the provider did not send it after all: %(said)s") % {"said": report_words(report)}
        Delivery.objects.filter(pk=delivery.pk).update(status=Delivery.Status.FAILED, last_error=refused)


def _failing(kind: str, said: Mapping[str, Any]) -> Iterator[tuple[str, SuppressedAddress.Reason, str]]:
    """Yield the addresses that nothing more is to be sent to; mailboxes that are full, or busy, are not among them."""
    if kind == "bounce" and said.get("bounceType") == "Permanent":
        for each in _people(said, "bouncedRecipients"):
            words = str(each.get("diagnosticCode") or said.get("bounceSubType") or "")
            yield _text(each.get("emailAddress")), _Reason.BOUNCE, _text(words)
    if kind == "complaint" and said.get("complaintFeedbackType") != _NOT_SPAM:
        for each in _people(said, "complainedRecipients"):
            words = str(said.get("complaintFeedbackType") or said.get("complaintSubType") or "")
            yield _text(each.get("emailAddress")), _Reason.COMPLAINT, _text(words)


def _customer_of(delivery: Delivery) -> int:
    about = delivery.invoice or delivery.credit_note or delivery.payment
    return about.customer_id if about is not None else 0


def _member(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _people(said: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = said.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _headers(mail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in _people(mail, "headers"):
        yield str(each.get("name", "")), str(each.get("value", ""))


def _text(value: object) -> str:
    """Return a text without the one character that PostgreSQL cannot hold."""
    return str(value or "").replace("\0", "")


def _instant(text: object, otherwise: datetime) -> datetime:
    try:
        return parse_instant(str(text))
    except ValueError:
        return otherwise


def _storable(detail: Mapping[str, Any]) -> Any:
    """Return the values without that character, which JSON in PostgreSQL cannot hold either."""
    return json.loads(json.dumps(detail).replace("\\u0000", ""))
