"""
The part of SNS that moto leaves out: messages to HTTPS endpoints are signed, and a subscription is confirmed before any comes.

The signature is real, by a key of this start, and its certificate lies behind Amazon's own host name (tls.py), so that the
deployed code verifies all of it.
"""

import base64
import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from moto.sns import models

from infra.localaws import ACCOUNT, REGION
from infra.localaws.http import Request, Response
from infra.localaws.tls import Authority, certificate_pem

HOST: Final = f"sns.{REGION}.amazonaws.com"
_CERTIFICATE_PATH: Final = "/SimpleNotificationService-local.pem"
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
# How long an endpoint that does not answer with 2xx is asked again (an hour on AWS).
_PATIENCE_SECONDS: Final = 30

Deliver = Callable[[str, bytes, dict[str, str]], int]


class Notifications:
    """Delivers what moto publishes to HTTPS endpoints."""

    def __init__(self, authority: Authority, deliver: Deliver) -> None:
        """`deliver` posts a body with headers to a URL and returns the status."""
        self._key, certificate = authority.issue(HOST)
        self._certificate = certificate_pem(certificate)
        self._deliver = deliver
        self._tokens: dict[str, str] = {}
        self._closed = threading.Event()
        self._install()

    def answer(self, request: Request) -> Response:
        """Answer as sns.<region>.amazonaws.com does without credentials: the certificate, and confirmations."""
        parts = urlsplit(request.target)
        if parts.path == _CERTIFICATE_PATH:
            return Response(200, self._certificate, [("Content-Type", "application/x-pem-file")])
        query = parse_qs(parts.query)
        if query.get("Action") == ["ConfirmSubscription"]:
            arn = self._tokens.pop(query.get("Token", [""])[0], None)
            subscription = models.sns_backends[ACCOUNT][REGION].subscriptions.get(arn or "")
            if subscription is not None:
                subscription.confirmed = True
                subscription.attributes["PendingConfirmation"] = "false"
                return Response(200, b"<ConfirmSubscriptionResponse/>", [("Content-Type", "text/xml")])
        return Response(400, b"<ErrorResponse/>", [("Content-Type", "text/xml")])

    def close(self) -> None:
        """Give up what has not been delivered, and give moto its own back."""
        self._closed.set()
        models.Subscription.publish = self._publish  # type: ignore[method-assign]
        models.SNSBackend.subscribe = self._subscribe  # type: ignore[method-assign]

    def _install(self) -> None:
        self._publish = models.Subscription.publish
        self._subscribe = models.SNSBackend.subscribe

        def publish(subscription: models.Subscription, message: str, message_id: str, *args: Any, **kwargs: Any) -> None:
            if subscription.protocol != "https":
                self._publish(subscription, message, message_id, *args, **kwargs)
            elif subscription.confirmed:
                self._send(subscription, {"Type": "Notification", "MessageId": message_id, "Message": message})

        def subscribe(backend: models.SNSBackend, topic_arn: str, endpoint: str, protocol: str) -> models.Subscription:
            subscription = self._subscribe(backend, topic_arn, endpoint, protocol)
            if protocol == "https" and not subscription.confirmed:
                subscription.attributes["PendingConfirmation"] = "true"
                self._ask_to_confirm(subscription)
            return subscription

        models.Subscription.publish = publish  # type: ignore[method-assign,assignment]
        models.SNSBackend.subscribe = subscribe  # type: ignore[method-assign,assignment]

    def _ask_to_confirm(self, subscription: models.Subscription) -> None:
        token = uuid.uuid4().hex
        self._tokens[token] = subscription.arn
        query = f"Action=ConfirmSubscription&TopicArn={quote(subscription.topic_arn, safe='')}&Token={token}"
        message = {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid.uuid4()),
            "Token": token,
            "Message": f"You have chosen to subscribe to the topic {subscription.topic_arn}.",
            "SubscribeURL": f"https://{HOST}/?{query}",
        }
        self._send(subscription, message)

    def _send(self, subscription: models.Subscription, message: dict[str, Any]) -> None:
        message["TopicArn"] = subscription.topic_arn
        message["Timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        body = json.dumps(self._signed(message)).encode()
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "X-Amz-Sns-Message-Type": message["Type"],
            "X-Amz-Sns-Topic-Arn": subscription.topic_arn,
        }
        threading.Thread(target=self._until_taken, args=(subscription.endpoint, body, headers), daemon=True).start()

    def _until_taken(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while not self._closed.is_set() and time.monotonic() < give_up_at:
            if 200 <= self._deliver(url, body, headers) < 300:
                return
            self._closed.wait(1)

    def _signed(self, message: dict[str, Any]) -> dict[str, Any]:
        message |= {"SignatureVersion": "2", "SigningCertURL": f"https://{HOST}{_CERTIFICATE_PATH}"}
        text = "".join(f"{name}\n{message[name]}\n" for name in _SIGNED[message["Type"]] if message.get(name))
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return message | {"Signature": base64.b64encode(signature).decode()}
