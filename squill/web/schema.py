"""What the OpenAPI document says about every operation alike: how errors are answered."""

from typing import Any

from squill.web.problems import CONTENT_TYPE

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "/problems/invalid"},
        "title": {"type": "string", "example": "The request has members that cannot be used"},
        "status": {"type": "integer", "example": 400},
        "detail": {"type": "string", "example": "currency: Write an ISO 4217 code such as EUR or USD."},
        "instance": {"type": "string", "example": "/api/v1/customers"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message"],
                "properties": {
                    "index": {"type": "integer", "description": "Where the body is a list: which item, from 0.", "example": 0},
                    "field": {"type": "string", "description": "The member, with dots.", "example": "currency"},
                    "code": {"type": "string", "description": "A stable word for programs, where there is one."},
                    "message": {"type": "string", "example": "Write an ISO 4217 code such as EUR or USD."},
                },
            },
        },
        "requestId": {"type": "string", "description": "The X-Request-ID of the answer."},
        "traceId": {"type": "string", "description": "The trace of the request in X-Ray, where it is traced."},
    },
}


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the problem document, and to each operation that it answers so whenever it fails (a hook of drf-spectacular)."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    answer = {
        "description": "The request failed.",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for item in result.get("paths", {}).values():
        for operation in item.values():
            operation.get("responses", {}).setdefault("default", answer)
    return result
