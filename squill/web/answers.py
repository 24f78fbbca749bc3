"""How the answers that are problems are documented: the same document each time, with an example of what it says here."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from squill.web.problems import CONTENT_TYPE, TYPES

type Answers = dict[tuple[int, str], OpenApiResponse]

_SCHEMA: Final = {"$ref": "#/components/schemas/Problem"}


def problem(slug: str, description: str, **error: str) -> Answers:
    """
    Return the documented answer of one type of problem, to be merged into the `responses` of an operation.

    `error` is the entry of `errors` that the example shows: field, code and message; only a message is fine too.
    """
    kind = TYPES[slug]
    told = f"{error['field']}: {error['message']}" if "field" in error else error.get("message", description)
    value: dict[str, Any] = {"type": f"/problems/{slug}", "title": str(kind.title), "status": kind.status, "detail": told}
    if "field" in error or "code" in error:
        value["errors"] = [error]
    example = OpenApiExample("Problem", value=value, media_type=CONTENT_TYPE, status_codes=[str(kind.status)])
    return {(kind.status, CONTENT_TYPE): OpenApiResponse(_SCHEMA, description=description, examples=[example])}


INVALID: Final = problem(
    "invalid", "A member cannot be used; nothing was written.", field="plan", message="There is no such member."
)
FORBIDDEN: Final = problem("forbidden", "The key lacks the scope.", message="The API key sq_live_x7p2m9qd lacks the scope write.")
NOT_FOUND: Final = problem("not-found", "There is none, or it is not the key's to see.", message="There is no such thing here.")
