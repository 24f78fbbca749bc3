"""
Messages of Amazon SNS: who may speak to us, and whether it is they.

A signature proves only that some topic of AWS sent the message, and anybody can have a topic: the topic is compared first, with
the one that is set. The certificate comes from Amazon's own hosts, over verified HTTPS, without redirects.
"""

import base64
import binascii
import http.client
import re
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_HOST: Final = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?")
_CERTIFICATE_PATH: Final = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,100}\.pem")
# The members that are signed, in this order; those that are not there are left out.
_SIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_TIMEOUT_SECONDS: Final = 5
_LARGEST_ANSWER_BYTES: Final = 65_536
# Certificates that were fetched, as PEM; a failure is not kept, so that the next message tries again.
_certificates: dict[str, bytes] = {}
_MOST_CERTIFICATES: Final = 20


class UntrustedMessage(Exception):
    """The message is not from our topic, or it was changed on the way. The text is for the log."""


class SnsUnreachable(Exception):
    """Amazon does not answer just now: the message may be right, and is to be sent again later."""


def verify(message: Mapping[str, Any], *, topic_arn: str) -> None:
    """
    Return if the message is from the topic, and as it was sent. May fetch a certificate, once for each.

    :raises UntrustedMessage: if it is not
    :raises SnsUnreachable: if the certificate cannot be fetched just now
    """
    if not topic_arn or message.get("TopicArn") != topic_arn:
        raise UntrustedMessage("of another topic than SQUILL_SES_TOPIC_ARN")
    names = _SIGNED.get(str(message.get("Type")))
    if names is None:
        raise UntrustedMessage("of a type that SNS does not have")
    try:
        signature = base64.b64decode(str(message.get("Signature", "")), validate=True)
    except binascii.Error:
        raise UntrustedMessage("with a signature that is not base64") from None
    url = str(message.get("SigningCertURL", ""))
    certificate = _certificate(url)
    from billing.delivery import signatures  # noqa: PLC0415 (cryptography takes long to load, and a cold start must not)

    signed = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name)).encode()
    version = str(message.get("SignatureVersion"))
    try:
        is_right = signatures.fits(signature=signature, signed=signed, certificate=certificate, version=version)
    except ValueError as error:
        raise UntrustedMessage(f"which cannot be checked: {error}") from None
    if not is_right:
        raise UntrustedMessage("with a signature that does not fit")
    if len(_certificates) >= _MOST_CERTIFICATES:
        _certificates.clear()
    _certificates[url] = certificate


def confirm_subscription(message: Mapping[str, Any]) -> None:
    """
    Tell SNS that we want the topic's messages; the message must be verified.

    :raises UntrustedMessage: if the address is not one of SNS's
    :raises SnsUnreachable: if it does not answer, or says no
    """
    url = str(message.get("SubscribeURL", ""))
    parts = urlsplit(url)
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc):
        raise UntrustedMessage("with a SubscribeURL that is not Amazon's")
    fetch(url)


def fetch(url: str) -> bytes:
    """
    Return what lies at an https address of Amazon's that was looked at before: no redirect, 64 KiB at most, within seconds.

    :raises SnsUnreachable: on anything but 200
    """
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context())
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        response = connection.getresponse()
        body = response.read(_LARGEST_ANSWER_BYTES)
        if response.status != http.client.OK:
            raise SnsUnreachable(f"{parts.netloc} answers {response.status}")
        return body
    except (OSError, http.client.HTTPException) as error:
        raise SnsUnreachable(f"{parts.netloc}: {error}") from error
    finally:
        connection.close()


def _certificate(url: str) -> bytes:
    parts = urlsplit(url)
    is_amazons = parts.scheme == "https" and _HOST.fullmatch(parts.netloc) and _CERTIFICATE_PATH.fullmatch(parts.path)
    if not is_amazons or parts.query or parts.fragment:
        raise UntrustedMessage("with a certificate that is not at Amazon's")
    return _certificates.get(url) or fetch(url)
