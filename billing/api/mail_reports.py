"""
The door of Amazon SNS: what SES reports of mails (bounces, complaints, deliveries). No API key: messages are signed.

Beside the API, and not in its reference: nobody calls it by hand.
"""

import json
import logging
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.delivery.feedback import take_report
from billing.delivery.sns import SnsUnreachable, UntrustedMessage, confirm_subscription, verify
from squill.lib import clock

logger = logging.getLogger(__name__)
# A message of SNS has 256 KiB at most; in JSON, within JSON, it is written longer.
_LARGEST_BODY_BYTES: Final = 1_048_576


@csrf_exempt
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """
    Take a message of the topic that SQUILL_SES_TOPIC_ARN names; without it, refuse every message.

    200 says that it is kept, and SNS sends it no more. 503 asks SNS to send it again, and 4xx says that it is not for us.
    """
    if not settings.SQUILL_SES_TOPIC_ARN:
        return _answer(403, "SQUILL_SES_TOPIC_ARN is not set: no reports are taken.")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > _LARGEST_BODY_BYTES:
        return _answer(413, "The message is larger than SNS sends any.")
    message = _object(request.body)
    if message is None:
        return _answer(400, "The body is not a JSON object.")
    try:
        verify(message, topic_arn=settings.SQUILL_SES_TOPIC_ARN)
        return _take(message)
    except UntrustedMessage as error:
        logger.warning("a message to /hooks/ses was refused: %s", error)
        return _answer(403, "The message is not from the topic that is expected.")
    except SnsUnreachable as error:
        logger.warning("a message to /hooks/ses waits for SNS to send it again: %s", error)
        return _answer(503, "Amazon does not answer just now: send it again.")


def _take(message: dict[str, Any]) -> HttpResponse:
    if message["Type"] == "SubscriptionConfirmation":
        confirm_subscription(message)
        logger.info("subscribed to %s", message["TopicArn"])
    elif message["Type"] == "Notification":
        event = _object(str(message.get("Message", "")))
        if event is None:  # such as the greeting that SES sends to a new topic
            logger.info("a message that is no event: %s", str(message.get("Message", ""))[:200])
        else:
            take_report(notification_id=str(message.get("MessageId", "")), event=event, now=clock.now())
    else:
        logger.warning("%s was unsubscribed from /hooks/ses", message["TopicArn"])
    return _answer(200, "")


def _object(text: bytes | str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _answer(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
