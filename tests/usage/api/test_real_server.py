"""What only a real server shows: bodies that arrive in chunks, as the JavaScript SDK of CloudEvents sends them."""

import gzip
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customers.api_keys import issue_api_key
from tests.servers import running_squill
from tests.usage.builders import ACTOR, NOW, a_customer, a_meter, rollups


@pytest.fixture
def port(transactional_db: None, database_url: str, tmp_path: Path) -> Iterator[int]:
    """Run gunicorn on this test's database, until it answers."""
    with running_squill(database_url=database_url, home=tmp_path, now=NOW) as number:
        yield number


def _send(port: int, secret: str, body: Any, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    sent = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"} | headers
    connection.request("POST", "/api/v1/events", body=body, headers=sent, encode_chunked="Transfer-Encoding" in sent)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


@pytest.mark.django_db(transaction=True)
def test_bodies_in_chunks_and_gzipped_ones_arrive_whole(port: int) -> None:
    a_customer()
    a_meter()
    _key, secret = issue_api_key(name="test", scopes=["events:write"], actor=ACTOR, now=NOW)

    def event(number: int) -> bytes:
        return json.dumps({"id": str(number), "source": "app", "type": "api.call", "subject": "acme"}).encode()

    whole = event(1)
    chunked = {"Transfer-Encoding": "chunked"}
    assert _send(port, secret, iter([whole[:10], whole[10:40], whole[40:]]), **chunked) == (204, b"")
    packed = gzip.compress(event(2))
    assert _send(port, secret, packed, **{"Content-Encoding": "gzip"}) == (204, b"")
    assert _send(port, secret, iter([packed[:9], packed[9:]]), **chunked, **{"Content-Encoding": "gzip"}) == (204, b"")
    assert _send(port, secret, event(3)) == (204, b"")

    # 1, 2 (its repetition is a duplicate) and 3
    assert [rollup[4] for rollup in rollups()] == [3]
