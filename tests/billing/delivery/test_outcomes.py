"""What an error says about a mail: only what is known for certain is tried again."""

import socket
import ssl

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from billing.delivery.outcomes import Outcome, outcome_of

URL = "https://email.eu-central-1.amazonaws.com"


def answered(status: int, code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "SendEmail")  # type: ignore[typeddict-item]


def distrusted() -> SSLError:
    error = SSLError(endpoint_url=URL, error=ssl.SSLCertVerificationError("self-signed"))
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    return error


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=URL, error="refused"),
        ConnectTimeoutError(endpoint_url=URL, error="too slow"),
        ConnectionRefusedError(),
        socket.gaierror("no such host"),
        NoCredentialsError(),
        NoRegionError(),
        distrusted(),
        answered(429, "TooManyRequestsException"),
        answered(400, "SendingPausedException"),
        answered(500, "InternalFailure"),
        answered(503, "ServiceUnavailable"),
        PermissionError("the mail folder"),
    ],
    ids=repr,
)
def test_what_never_reached_the_provider_or_was_answered_with_an_error_is_tried_again(error: Exception) -> None:
    assert outcome_of(error) is Outcome.NOT_TAKEN


@pytest.mark.parametrize("code", ["BadRequestException", "MessageRejected"])
def test_what_the_provider_will_never_take_is_not_tried_again(code: str) -> None:
    assert outcome_of(answered(400, code)) is Outcome.REFUSED


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url=URL, error="too slow"),
        ConnectionClosedError(endpoint_url=URL),
        HTTPClientError(error="?"),
        SSLError(endpoint_url=URL, error=ssl.SSLError("broken in the middle")),
        ConnectionResetError(),
        BrokenPipeError(),
        TimeoutError(),
        ResponseParserError("half an answer"),
        answered(502, "BadGateway"),
        answered(504, "GatewayTimeout"),
        RuntimeError("nobody thought of this"),
    ],
    ids=repr,
)
def test_whatever_is_not_known_for_certain_is_lost(error: Exception) -> None:
    assert outcome_of(error) is Outcome.LOST
