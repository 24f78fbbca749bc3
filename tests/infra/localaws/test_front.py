import base64
import http.client
import json
from urllib.parse import urlsplit

import pytest

from infra.localaws.front import Front
from infra.localaws.local_aws import LocalAws
from tests.infra.localaws.deploying import deploy

ECHO = """
import json
def handle(event, context):
    if event["path"] == "/fails": raise ValueError("no")
    if event["path"] == "/malformed": return "no proxy answer"
    if event["path"] == "/binary":
        headers = {"Content-Type": ["application/pdf"], "Set-Cookie": ["a=1", "b=2"]}
        return {"statusCode": 201, "body": event["body"], "isBase64Encoded": True, "multiValueHeaders": headers}
    return {"statusCode": 200, "body": json.dumps(event), "headers": {"Content-Type": "application/json"}}
"""
EVERY_BYTE = bytes(range(256))


@pytest.fixture(scope="module")
def front(aws: LocalAws) -> Front:
    deploy(aws, "web", ECHO)
    return aws.front(function_name="web", stage="dev")


def ask(front: Front, method: str, path: str, **request: object) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(urlsplit(front.url).netloc, timeout=30)
    connection.request(method, path, **request)  # type: ignore[arg-type]
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def test_every_byte_arrives_and_comes_back(front: Front) -> None:
    status, headers, body = ask(front, "POST", "/binary", body=EVERY_BYTE)
    assert (status, body) == (201, EVERY_BYTE)
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]


def test_a_body_in_chunks_arrives_whole(front: Front) -> None:
    status, _headers, body = ask(front, "POST", "/binary", body=iter([b"one ", b"two"]), encode_chunked=True)
    assert (status, body) == (201, b"one two")


def test_a_request_becomes_the_event_of_a_custom_domain(front: Front) -> None:
    headers = {"Host": "billing.example.com", "X-Forwarded-For": "192.0.2.7", "Content-Type": "text/plain"}
    _status, _headers, body = ask(front, "PUT", "/api/v1/a%20b?q=1&q=2&empty=", body="hé".encode(), headers=headers)
    event = json.loads(body)
    # No stage in the path, so that nothing takes it off.
    assert (event["httpMethod"], event["path"], event["requestContext"]["stage"]) == ("PUT", "/api/v1/a b", "dev")
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"], "empty": [""]}
    assert event["queryStringParameters"] == {"q": "2", "empty": ""}
    assert (event["isBase64Encoded"], base64.b64decode(event["body"]).decode()) == (True, "hé")
    assert event["headers"]["Host"] == "billing.example.com"
    assert event["headers"]["X-Forwarded-For"] == "192.0.2.7, 127.0.0.1, 127.0.0.1"


@pytest.mark.parametrize("path", ["/fails", "/malformed"])
def test_a_function_that_fails_is_a_bad_gateway_that_tells_nothing(front: Front, path: str) -> None:
    status, _headers, body = ask(front, "GET", path)
    assert (status, json.loads(body)) == (502, {"message": "Internal server error"})


def test_a_body_beyond_the_gateways_limit_does_not_reach_the_function(front: Front) -> None:
    status, _headers, _body = ask(front, "POST", "/binary", body=bytes(10 * 1024 * 1024 + 1))
    assert status == 413


def test_before_anything_is_deployed_the_answer_says_so(aws: LocalAws) -> None:
    status, _headers, body = ask(aws.front(function_name="later", stage="dev"), "GET", "/")
    assert (status, json.loads(body)) == (500, {"message": "There is no function later: deploy it"})
