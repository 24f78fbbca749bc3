"""The API reference at /api/docs: our own page from the OpenAPI document, since the policy lets in no script from elsewhere."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from drf_spectacular.generators import SchemaGenerator

from squill.web.problems import TYPES

type Schema = Mapping[str, Any]

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_JSON: Final = "application/json"
# Examples of texts by their format; others show their type.
_EXAMPLES: Final[Mapping[str, str]] = {
    "date-time": "2026-03-01T00:00:00Z",
    "date": "2026-03-01",
    "decimal": "12.5",
    "email": "billing@example.com",
    "uuid": "0198c1d2-7f3e-7000-8000-000000000000",
    "uri": "https://example.com/",
    "binary": "…",
}
_MAX_EXAMPLE_DEPTH: Final = 6


def page(request: HttpRequest) -> HttpResponse:
    """Show every operation with its parameters, bodies and answers."""
    context = {
        "groups": _groups(),
        "problems": [(slug, kind.status, kind.title) for slug, kind in TYPES.items()],
        "base_url": settings.SQUILL_BASE_URL,
    }
    return render(request, "api/reference.html", context)


def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead from the `type` of a problem to its line in the reference."""
    if slug not in TYPES:
        raise Http404(_("There is no such type of problem."))
    return redirect(f"{reverse('api-reference')}#problem-{slug}")


@cache
def _groups() -> list[dict[str, Any]]:
    """Return the operations by tag, in the order of their paths. The document is the same for the life of the process."""
    document: Schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if operation := item.get(method):
                tag = (operation.get("tags") or ["api"])[0]
                groups.setdefault(tag, []).append(_operation(document, path, method, operation))
    return [{"name": name, "id": f"tag-{index}", "operations": groups[name]} for index, name in enumerate(groups)]


def _operation(document: Schema, path: str, method: str, operation: Schema) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get(_JSON) or next(iter(content.values()), None)
    schema = _resolved(document, body.get("schema", {})) if body else {}
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary") or operation["operationId"].replace("_", " ").capitalize(),
        "description": _prose(operation.get("description", "")),
        "is_open": operation.get("security") == [],
        "parameters": [_parameter(parameter) for parameter in operation.get("parameters", ())],
        "members": _members(document, schema),
        "request_types": list(content),
        "request_example": _given(body) or _example_text(document, schema) if body else "",
        "responses": [_response(document, status, response) for status, response in operation.get("responses", {}).items()],
    }


def _parameter(parameter: Schema) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "type": _type_name(schema),
        "required": parameter.get("required", False),
        "description": _prose(parameter.get("description", "")),
    }


def _response(document: Schema, status: str, response: Schema) -> dict[str, Any]:
    content = response.get("content", {})
    empty: tuple[str, Schema] = ("", {})
    media_type, body = next(iter(content.items()), empty)
    schema = body.get("schema", {})
    is_json = media_type.endswith("json")
    return {
        "status": status,
        "description": _prose(response.get("description", "")),
        "media_type": media_type,
        "example": (_given(body) or _example_text(document, schema)) if is_json else "",
    }


def _given(body: Schema | None) -> str:
    """Return the first example that the view itself gives, if any."""
    example = next(iter((body or {}).get("examples", {}).values()), None)
    return _as_text(example["value"]) if example else ""


def _members(document: Schema, schema: Schema, prefix: str = "") -> list[dict[str, Any]]:
    """Return the members of an object, those of an inner object directly after it with a dotted name."""
    required = schema.get("required", ())
    rows: list[dict[str, Any]] = []
    for name, member in schema.get("properties", {}).items():
        inner = _resolved(document, member)
        if member.get("readOnly"):
            continue
        rows.append(
            {
                "name": prefix + name,
                "type": _type_name(inner),
                "required": name in required,
                "description": _prose(member.get("description") or inner.get("description", "")),
            }
        )
        if inner.get("type") == "object" and prefix.count(".") < _MAX_EXAMPLE_DEPTH:
            rows.extend(_members(document, inner, f"{prefix}{name}."))
    return rows


def _type_name(schema: Schema) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    name = schema.get("type", "")
    if isinstance(name, list):
        name = " or ".join(name)
    if name == "array":
        return f"{_('list of')} {_type_name(schema.get('items', {}))}"
    return str(schema.get("format") or name or "any")


def _resolved(document: Schema, schema: Schema) -> Schema:
    """Follow a reference into the components, also one that is wrapped in allOf to carry a description."""
    if reference := schema.get("$ref"):
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return _resolved(document, found)
    if len(schema.get("allOf", ())) == 1:
        return {**_resolved(document, schema["allOf"][0]), **{k: v for k, v in schema.items() if k != "allOf"}}
    return schema


def _example_text(document: Schema, schema: Schema) -> str:
    example = _example(document, schema, _MAX_EXAMPLE_DEPTH)
    return "" if example is None else _as_text(example)


def _example(document: Schema, schema: Schema, depth: int) -> Any:
    schema = _resolved(document, schema)
    for given in ("example", "default"):
        if given in schema:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    for union in ("oneOf", "anyOf"):
        if schema.get(union):
            return _example(document, schema[union][0], depth)
    if depth == 0:
        return None
    kind = schema.get("type")
    if kind == "object":
        return {name: _example(document, member, depth - 1) for name, member in schema.get("properties", {}).items()}
    if kind == "array":
        inner = _example(document, schema.get("items", {}), depth - 1)
        return [] if inner is None else [inner]
    return _scalar(schema)


def _scalar(schema: Schema) -> Any:
    match schema.get("type"):
        case "string":
            return _EXAMPLES.get(schema.get("format", ""), "string")
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            return 1
        case "boolean":
            return True
    return None


def _prose(text: str) -> SafeString:
    """Return the text as HTML, with what stands between backticks as code."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S308 (escaped first)


def _as_text(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
