"""docs/openapi.yaml is what the code says, and what tools such as Postman can import and make calls from."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from openapi_spec_validator import OpenAPIV30SpecValidator, validate

from squill.postgres.home import CHECKOUT

DOC = CHECKOUT / "docs" / "openapi.yaml"
METHODS = {"get", "post", "put", "patch", "delete"}
JSON = "application/json"
# Whose bodies are too involved to be made up from their types.
WITH_EXAMPLES = {"Plans", "Subscriptions", "Invoices", "Credit notes", "Payments", "Calculate", "Customers"}


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(DOC.read_text(encoding="utf-8"))
    return found


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each operation with its name, such as "get /api/v1/plans"."""
    for path, item in document()["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method} {path}", item[method]


def json_bodies(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What goes in, and what comes out of a call that succeeds."""
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for holder in (operation.get("requestBody", {}), *answers):
        if JSON in holder.get("content", {}):
            yield holder["content"][JSON]


def test_the_committed_document_is_the_generated_one() -> None:
    generated = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    rendered = OpenApiYamlRenderer().render(generated, renderer_context={})  # type: ignore[no-untyped-call]

    assert DOC.read_bytes() == rendered, "docs/openapi.yaml is not what the code says: make openapi"


def test_the_document_is_valid_openapi() -> None:
    assert document()["openapi"].startswith("3.0.")
    validate(document(), cls=OpenAPIV30SpecValidator)


def test_tools_find_where_to_call_and_how_to_sign_in() -> None:
    assert all(server["url"].startswith("http") for server in document()["servers"])
    assert document()["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    for name, operation in operations():
        assert operation["security"] == [{"apiKey": []}], name


def test_every_operation_has_a_name_of_its_own_words_and_a_place() -> None:
    names = [operation["operationId"] for _name, operation in operations()]
    assert len(names) == len(set(names))
    for name, operation in operations():
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert len(operation["tags"]) == 1, name


def test_every_operation_says_how_it_refuses() -> None:
    for name, operation in operations():
        assert operation["responses"]["default"], name
        for status, answer in operation["responses"].items():
            if status[0] in "45d":
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_tools_can_fill_in_every_body() -> None:
    for name, operation in operations():
        for body in json_bodies(operation):
            assert body["schema"], name  # an example can be made up from it
            if operation["tags"][0] in WITH_EXAMPLES:
                assert body.get("examples"), name


def test_no_number_of_money_is_a_json_number() -> None:
    schemas = document()["components"]["schemas"]
    found = [
        f"{schema}.{member}"
        for schema, described in schemas.items()
        for member, kind in described.get("properties", {}).items()
        if kind.get("type") == "number"
    ]
    # Quantities, as the clients of OpenMeter need them; written exactly (docs/adr/0014-openmeter-compatibility.md).
    assert found == ["MeterUsageRow.value"]


def test_the_guide_tells_of_every_operation_and_of_no_other() -> None:
    guide = (CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^` …]+)`", guide))
    documented = {f"{name.split()[0].upper()} {name.split()[1].removeprefix('/api/v1')}" for name, _operation in operations()}

    assert told == documented
