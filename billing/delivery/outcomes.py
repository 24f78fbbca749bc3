"""What an error of sending says about the mail: whether the provider can have taken it."""

import socket
import ssl
from enum import Enum
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ProxyConnectionError,
    SSLError,
)

# Answers of something between us and the provider, which may have passed the request on.
_GATEWAY_STATUSES: Final = frozenset({502, 504})
# Answers that asking again does not change.
_FINAL_CODES: Final = frozenset({"BadRequestException", "MessageRejected", "InvalidParameterValue", "ValidationException"})
# The connection was never made.
_NOT_CONNECTED: Final = (
    EndpointConnectionError,
    ConnectTimeoutError,
    ProxyConnectionError,
    ConnectionRefusedError,
    socket.gaierror,
)


class Outcome(Enum):
    """Of a call that failed."""

    NOT_TAKEN = "not taken"  # the mail certainly did not go out: try again
    REFUSED = "refused"  # it did not, and trying again will not help
    LOST = "lost"  # the answer was lost: it may have gone out


def outcome_of(error: BaseException) -> Outcome:
    """
    Say what is known of a mail after an error of the provider's client. What is not known for certain is lost.

    An answer with an error says that the mail was not taken, unless it is a gateway's. A connection that was never made says so
    too; one that broke, or timed out, after the request was on its way says nothing.
    """
    if isinstance(error, ClientError):
        return _of_answer(error)
    if isinstance(error, _NOT_CONNECTED) or _certificate_refused(error):
        return Outcome.NOT_TAKEN
    if isinstance(error, HTTPClientError | IncompleteReadError | SSLError):
        return Outcome.LOST
    if isinstance(error, BotoCoreError):  # no credentials, no region, bad parameters: found before anything was sent
        return Outcome.NOT_TAKEN
    if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError | ssl.SSLError):
        return Outcome.NOT_TAKEN  # of the mail folder: a message appears there whole or not at all
    return Outcome.LOST


def _of_answer(error: ClientError) -> Outcome:
    response = error.response
    if response.get("ResponseMetadata", {}).get("HTTPStatusCode") in _GATEWAY_STATUSES:
        return Outcome.LOST
    return Outcome.REFUSED if response.get("Error", {}).get("Code") in _FINAL_CODES else Outcome.NOT_TAKEN


def _certificate_refused(error: BaseException) -> bool:
    """Whether we did not trust the other side, which is found out before a request is sent."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
