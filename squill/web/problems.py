"""
Errors of the HTTP API as RFC 9457 documents (`application/problem+json`).

Every error of a path under /api/ is one of these. `type` is a relative reference, `/problems/<slug>`, that leads to its
description in the reference (`/api/docs`); `detail` tells the whole story by itself, since several clients show nothing else;
`errors` names each bad member where there are any; `requestId` is the X-Request-ID of the answer, and `traceId` its trace where
there is one (X-Ray).
"""

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import defaults
from rest_framework import exceptions
from rest_framework.views import set_rollback

from squill.db.errors import is_away
from squill.lib.refusal import Refused

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
# Where the middleware keeps the request's id (squill.web.middleware.request_id).
API_PREFIXES: Final = ("/api/", "/openmeter/api/")  # what lies here answers programs
REQUEST_ID_KEY: Final = "SQUILL_REQUEST_ID"
TRACE_ID_KEY: Final = "SQUILL_TRACE_ID"
# How many bad members `detail` spells out; `errors` has them all.
_DETAILED: Final = 5
# When to come again while the database is away. It has been waited for already (SQUILL_DATABASE_WAKE_SECONDS).
RETRY_AFTER_SECONDS: Final = "2"


class ProblemType(NamedTuple):
    """A kind of problem: the status it is answered with, and a title that is the same each time."""

    status: int
    title: Any  # a lazy translation


TYPES: Final[Mapping[str, ProblemType]] = {
    "malformed": ProblemType(400, gettext_lazy("The request cannot be read")),
    "invalid": ProblemType(400, gettext_lazy("The request has members that cannot be used")),
    "not-authenticated": ProblemType(401, gettext_lazy("An API key is needed")),
    "forbidden": ProblemType(403, gettext_lazy("The API key may not do this")),
    "not-found": ProblemType(404, gettext_lazy("There is no such thing here")),
    "method-not-allowed": ProblemType(405, gettext_lazy("The path does not take this method")),
    "not-acceptable": ProblemType(406, gettext_lazy("No answer of the wanted type")),
    "conflict": ProblemType(409, gettext_lazy("The state of things does not allow it")),
    "length-required": ProblemType(411, gettext_lazy("The length of the body is not known")),
    "too-large": ProblemType(413, gettext_lazy("The request is too large")),
    "unsupported-media-type": ProblemType(415, gettext_lazy("The type of the body is not understood")),
    "throttled": ProblemType(429, gettext_lazy("Too many requests")),
    "error": ProblemType(500, gettext_lazy("Something failed on our side")),
    "unavailable": ProblemType(503, gettext_lazy("Not able to answer just now")),
}
_TYPE_OF_STATUS: Final = {kind.status: slug for slug, kind in TYPES.items()} | {400: "malformed"}


class Problem(Exception):
    """
    An error to answer with, raised anywhere inside an API view or middleware.

    `type` is the slug, `title` and `status` come from TYPES where they are not given. `errors` are mappings such as
    `{"index": 3, "field": "subject", "message": "…"}`: `index` (from 0) where the body is a list, `field` as a dotted path.
    """

    def __init__(
        self,
        *,
        detail: str,
        type: str = "",
        status: int = 0,
        title: str = "",
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.type = type or _TYPE_OF_STATUS.get(status, "invalid" if status < 500 else "error")
        known = TYPES.get(self.type, TYPES["invalid"])
        self.status = status or known.status
        self.title = title or str(known.title)
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})


def invalid(errors: Mapping[str, str]) -> Problem:
    """Return the problem for a service's refusal: a message for each field, or for "" where no field is to blame."""
    named = [{"field": field, "message": message} if field else {"message": message} for field, message in errors.items()]
    return Problem(type="invalid", detail=_summary(named), errors=named)


def problem_response(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the problem as an answer; any renderer that the client asked for is passed over."""
    document: dict[str, Any] = {
        "type": f"/problems/{problem.type}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": iri_to_uri(request.path),
    }
    if problem.errors:
        document["errors"] = problem.errors
    if request_id := request.META.get(REQUEST_ID_KEY):
        document["requestId"] = request_id
    if trace_id := request.META.get(TRACE_ID_KEY):
        document["traceId"] = trace_id
    return JsonResponse(document, status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers)


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Answer an exception of a DRF view as a problem; None, so that it flies on, where nobody foresaw it."""
    problem = _problem_of(exc)
    if problem is None:
        return None
    set_rollback()
    return problem_response(context["request"], problem)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses (handler400), such as a host that is not ours."""
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return problem_response(request, _problem_of(exception) or Problem(type="malformed", detail=_("The request cannot be read.")))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a refusal outside of DRF (handler403)."""
    if not _is_api(request):
        return defaults.permission_denied(request, exception)
    return problem_response(request, Problem(type="forbidden", detail=str(exception) or _("This is not allowed.")))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown path (handler404)."""
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    detail = _("There is nothing at %(path)s; /api/docs lists what there is.") % {"path": request.path}
    return problem_response(request, Problem(type="not-found", detail=detail))


def server_error(request: HttpRequest) -> HttpResponse:
    """
    Answer an error that nobody foresaw (handler500), without saying what it was.

    That the database is away is foreseen, wherever in a request it shows: programs are told when to come again, and people get a
    page that comes back by itself.
    """
    error = sys.exc_info()[1]  # Django calls this while it handles the error
    if is_away(error):
        return _away(request, error)
    if not _is_api(request):
        return defaults.server_error(request)
    detail = _("Something failed on our side. It has been logged under the request id; trying again later may help.")
    return problem_response(request, Problem(type="error", detail=detail))


def _away(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    if _is_api(request) and isinstance(error, Exception) and (problem := _problem_of(error)) is not None:
        return problem_response(request, problem)
    # Without the request: what belongs to it (who is signed in, messages) is in the database.
    page = render_to_string("503.html", {"may_reload": request.method in ("GET", "HEAD"), "seconds": RETRY_AFTER_SECONDS})
    return HttpResponse(page, status=503, headers={"Retry-After": RETRY_AFTER_SECONDS, "Cache-Control": "no-store"})


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIXES)


def _problem_of(exc: Exception) -> Problem | None:
    match exc:
        case Problem():
            return exc
        case Refused():
            return Problem(type="conflict", detail=str(exc), errors=[{"code": exc.code, "message": str(exc)}])
        case exceptions.ValidationError():
            errors = list(_flattened(exc.detail))
            return Problem(type="invalid", status=exc.status_code, detail=_summary(errors), errors=errors)
        case exceptions.NotAuthenticated():
            detail = _("Send an API key in the header “Authorization: Bearer sq_live_…”.")
            return Problem(status=exc.status_code, detail=detail, headers=_headers(exc))
        case exceptions.APIException():
            return Problem(status=exc.status_code, detail=_text(exc.detail), headers=_headers(exc))
        case RequestDataTooBig():
            return Problem(type="too-large", detail=_("The body is larger than SQUILL_EVENTS_MAX_BYTES allows."))
        case SuspiciousOperation():
            return Problem(type="malformed", detail=_("The request was refused because it is not well formed."))
        case Http404():
            return Problem(type="not-found", detail=_not_found_text(exc))
        case PermissionDenied():
            return Problem(type="forbidden", detail=str(exc) or _("This is not allowed."))
        case OperationalError() | InterfaceError() | InternalError() if is_away(exc) or not isinstance(exc, InternalError):
            logger.error("the database does not answer", exc_info=exc)
            detail = _("The database does not answer just now. Send the request again; events are never counted twice.")
            return Problem(type="unavailable", detail=detail, headers={"Retry-After": RETRY_AFTER_SECONDS})
    return None


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _not_found_text(exc: Http404) -> str:
    # Django's own texts name models and say nothing that a client could use.
    text = str(exc)
    return text if text and "matches the given query" not in text else _("There is no such thing here.")


def _flattened(detail: Any, path: tuple[str | int, ...] = ()) -> Iterator[dict[str, Any]]:
    """Walk DRF's nested error details to one entry a message, with a dotted path and, for list bodies, the index."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            step: tuple[str | int, ...] = () if key == "non_field_errors" else (key,)
            yield from _flattened(inner, path + step)
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            # A list of messages belongs to its field; a list of mappings runs parallel to a list in the request.
            nested = isinstance(inner, Mapping | list)
            yield from _flattened(inner, (*path, index) if nested else path)
    else:
        error: dict[str, Any] = {}
        if path and isinstance(path[0], int):
            error["index"], path = path[0], path[1:]
        if path:
            error["field"] = ".".join(map(str, path))
        yield error | {"message": str(detail)}


def _summary(errors: Sequence[Mapping[str, Any]]) -> str:
    told = "; ".join(_sentence(error) for error in errors[:_DETAILED])
    if len(errors) > _DETAILED:
        told += "; " + _("and %(count)d more") % {"count": len(errors) - _DETAILED}
    return told or _("The request has members that cannot be used.")


def _sentence(error: Mapping[str, Any]) -> str:
    where = []
    if "index" in error:
        where.append(f"[{error['index']}]")
    if error.get("field"):
        where.append(str(error["field"]))
    return f"{' '.join(where)}: {error['message']}" if where else str(error["message"])


def _text(detail: Any) -> str:
    return _summary(list(_flattened(detail)))
