import re
from typing import Any

import yaml
from django.test import Client

from squill.web.reference import _example, _members, _prose, _type_name

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Tier": {"type": "object", "required": ["rate"], "properties": {"rate": {"type": "string", "format": "decimal"}}},
            "Loop": {"type": "object", "properties": {"again": {"$ref": "#/components/schemas/Loop"}}},
        }
    }
}


def test_the_page_shows_every_operation_of_the_document(client: Client) -> None:
    page = client.get("/api/docs")
    document = yaml.safe_load(client.get("/api/v1/openapi.yaml").content)
    shown = page.content.decode()
    operations = [one for item in document["paths"].values() for one in item.values()]
    assert len(operations) >= 6
    for operation in operations:
        assert f'id="{operation["operationId"]}"' in shown
    assert "Bearer sq_live_…" in shown


def test_the_page_loads_nothing_from_elsewhere_and_keeps_the_strict_policy(client: Client) -> None:
    answer = client.get("/api/docs")
    shown = answer.content.decode()
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "<script" not in shown
    assert " style=" not in shown
    assert all(link.startswith(("/", "#")) for link in re.findall(r'(?:href|src)="([^"]+)"', shown))


def test_both_forms_of_the_document_are_served(client: Client) -> None:
    as_yaml, as_json = client.get("/api/v1/openapi.yaml"), client.get("/api/v1/openapi.json")
    assert as_json.json()["openapi"].startswith("3.0")
    assert yaml.safe_load(as_yaml.content)["paths"].keys() == as_json.json()["paths"].keys()


def test_every_operation_says_how_it_fails(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    for item in document["paths"].values():
        for operation in item.values():
            content = operation["responses"]["default"]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_a_list_in_pages_is_described_as_one(client: Client) -> None:
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert schemas["PaginatedCustomerList"]["required"] == ["items", "nextCursor"]


def test_examples_follow_references_and_stop_at_loops() -> None:
    tiers = {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Tier"}], "description": "x"}}
    assert _example(DOCUMENT, tiers, 6) == [{"rate": "12.5"}]
    assert _example(DOCUMENT, {"$ref": "#/components/schemas/Loop"}, 2) == {"again": {"again": None}}
    assert _example(DOCUMENT, {"oneOf": [{"enum": ["a", "b"]}]}, 1) == "a"
    scalars = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}, "b": {"type": "boolean"}, "x": {}}}
    assert _example(DOCUMENT, scalars, 1) == {"n": None, "b": None, "x": None}
    assert _example(DOCUMENT, scalars, 2) == {"n": 3, "b": True, "x": None}


def test_members_of_inner_objects_have_dotted_names() -> None:
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "tier": {"allOf": [{"$ref": "#/components/schemas/Tier"}]},
        },
    }
    rows = [(row["name"], row["type"], row["required"]) for row in _members(DOCUMENT, schema)]
    assert rows == [("tier", "object", False), ("tier.rate", "decimal", True)]


def test_types_have_short_names() -> None:
    assert _type_name({"type": "array", "items": {"type": "string"}}) == "list of string"
    assert _type_name({"enum": ["a", "b"]}) == "a | b"
    assert _type_name({"type": ["string", "null"]}) == "string or null"
    assert _type_name({}) == "any"


def test_prose_is_escaped_before_code_is_marked() -> None:
    assert _prose("`limit` <b>") == "<code>limit</code> &lt;b&gt;"
