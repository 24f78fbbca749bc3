"""A caller of the HTTP API: a key, requests in JSON, and answers that are held against the OpenAPI document."""

import re
from functools import cache
from threading import Lock
from typing import Any, Self

from django.test import Client
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS30ReadValidator, validate

from customers.api_keys import issue_api_key
from customers.models import Customer
from tests.billing.builders import ACTOR, NOW


class Answer:
    """What came back: the status, the JSON (None if it is none), and the headers."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.content: bytes = b"".join(response.streaming_content) if response.streaming else response.content
        self.json: Any = response.json() if "json" in response.headers.get("Content-Type", "") else None

    @property
    def told(self) -> list[tuple[str, str]]:
        """The (field, message) of each error of a problem."""
        return [(error.get("field", ""), error["message"]) for error in self.json["errors"]]


class Caller:
    """A system with a key of its own. Paths begin after /api/v1."""

    def __init__(self, *scopes: str, customer: Customer | None = None) -> None:
        chosen = scopes or ("read", "write")
        _key, self._secret = issue_api_key(name="tests", scopes=chosen, actor=ACTOR, now=NOW, customer=customer)
        self._client = Client()

    @classmethod
    def narrowed_to(cls, customer: Customer) -> Self:
        return cls(customer=customer)

    def get(self, path: str, **headers: str) -> Answer:
        return self._call("get", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self._call("post", path, body, headers)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        return self._call("put", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self._call("patch", path, body, headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self._call("delete", path, None, headers)

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        call = getattr(self._client, method)
        options = {} if method == "get" else {"data": body, "content_type": "application/json"}
        answer = Answer(call(f"/api/v1{path}", headers={"Authorization": f"Bearer {self._secret}", **headers}, **options))
        _check_documented(method, path, answer)
        return answer


def _check_documented(method: str, path: str, answer: Answer) -> None:
    """Fail if the OpenAPI document does not say that this operation answers so."""
    if answer.json is None:
        return
    with _building:
        document = _document()
    route = re.sub("<[a-z]+:([a-z_]+)>", r"{\1}", resolve(f"/api/v1{path.partition('?')[0]}").route)
    responses = document["paths"][f"/{route}"][method]["responses"]
    content = responses.get(str(answer.status), responses["default"])["content"]
    schema = content[answer.headers["Content-Type"].partition(";")[0]]["schema"]
    validate(answer.json, {**schema, "components": document["components"]}, cls=OAS30ReadValidator)


_building = Lock()  # drf-spectacular cannot work out two documents at once


@cache
def _document() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
