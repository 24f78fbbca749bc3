import json
import re
from typing import Any

import pytest
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from rest_framework import exceptions

from squill.lib.refusal import Refused
from squill.web.problems import (
    REQUEST_ID_KEY,
    TYPES,
    Problem,
    bad_request,
    exception_handler,
    invalid,
    page_not_found,
    permission_denied,
    problem_response,
    server_error,
)


def answered(exc: Exception) -> HttpResponse:
    request = RequestFactory().get("/api/v1/things/ü")
    request.META[REQUEST_ID_KEY] = "id-1"
    answer = exception_handler(exc, {"request": request})
    assert answer is not None
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer


def told(answer: HttpResponse) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(answer.content)
    return document


def test_a_problem_is_told_in_full() -> None:
    problem = Problem(type="conflict", detail="The plan is published.", errors=[{"field": "plan", "message": "published"}])
    answer = answered(problem)
    assert answer.status_code == 409
    assert told(answer) == {
        "type": "/problems/conflict",
        "title": "The state of things does not allow it",
        "status": 409,
        "detail": "The plan is published.",
        "instance": "/api/v1/things/%C3%BC",
        "errors": [{"field": "plan", "message": "published"}],
        "requestId": "id-1",
    }


def test_a_status_alone_finds_its_type() -> None:
    for status, slug in ((400, "malformed"), (404, "not-found"), (422, "invalid"), (502, "error")):
        problem = Problem(status=status, detail="x")
        assert (problem.type, problem.status) == (slug, status)


def test_nested_validation_errors_are_flattened_with_index_and_path() -> None:
    answer = answered(
        exceptions.ValidationError(
            [
                {},
                {"address": {"country": ["Unknown."]}, "tiers": [{}, {"up_to": ["Too low.", "Odd."]}]},
                {"non_field_errors": ["No."]},
            ]
        )
    )
    assert answer.status_code == 400
    assert told(answer)["errors"] == [
        {"index": 1, "field": "address.country", "message": "Unknown."},
        {"index": 1, "field": "tiers.1.up_to", "message": "Too low."},
        {"index": 1, "field": "tiers.1.up_to", "message": "Odd."},
        {"index": 2, "message": "No."},
    ]
    assert told(answer)["detail"] == (
        "[1] address.country: Unknown.; [1] tiers.1.up_to: Too low.; [1] tiers.1.up_to: Odd.; [2]: No."
    )


def test_the_detail_of_many_errors_counts_the_rest() -> None:
    answer = answered(invalid({f"f{number}": "Bad." for number in range(8)}))
    assert told(answer)["detail"] == "f0: Bad.; f1: Bad.; f2: Bad.; f3: Bad.; f4: Bad.; and 3 more"
    assert len(told(answer)["errors"]) == 8


def test_a_refusal_without_a_field_has_only_its_message() -> None:
    problem = invalid({"": "Not today."})
    assert (problem.detail, problem.errors) == ("Not today.", [{"message": "Not today."}])


@pytest.mark.parametrize(
    ("exc", "status", "slug", "detail"),
    [
        (exceptions.ParseError("Bad JSON."), 400, "malformed", "Bad JSON."),
        (exceptions.AuthenticationFailed("Unknown."), 401, "not-authenticated", "Unknown."),
        (exceptions.PermissionDenied("No scope."), 403, "forbidden", "No scope."),
        (PermissionDenied(), 403, "forbidden", "This is not allowed."),
        (exceptions.NotFound("No plan x."), 404, "not-found", "No plan x."),
        (Http404("No plan x."), 404, "not-found", "No plan x."),
        (Http404("No Plan matches the given query."), 404, "not-found", "There is no such thing here."),
        (exceptions.MethodNotAllowed("PUT"), 405, "method-not-allowed", 'Method "PUT" not allowed.'),
        (exceptions.UnsupportedMediaType("a/b"), 415, "unsupported-media-type", 'Unsupported media type "a/b" in request.'),
        (RequestDataTooBig("x"), 413, "too-large", "The body is larger than SQUILL_EVENTS_MAX_BYTES allows."),
        (DisallowedHost("x"), 400, "malformed", "The request was refused because it is not well formed."),
    ],
)
def test_every_foreseen_error_is_a_problem(exc: Exception, status: int, slug: str, detail: str) -> None:
    answer = answered(exc)
    document = told(answer)
    assert (answer.status_code, document["status"], document["type"]) == (status, status, f"/problems/{slug}")
    assert document["detail"] == detail


def test_a_throttled_client_is_told_when_to_come_back() -> None:
    answer = answered(exceptions.Throttled(wait=17))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "17")


def test_an_error_that_nobody_foresaw_flies_on() -> None:
    assert exception_handler(ValueError("x"), {"request": RequestFactory().get("/api/")}) is None


def test_djangos_own_errors_are_problems_under_api_and_pages_elsewhere() -> None:
    api, page = RequestFactory().get("/api/x"), RequestFactory().get("/x")
    for handler in (bad_request, permission_denied):
        assert handler(api, PermissionDenied("x")).headers["Content-Type"] == "application/problem+json"
        assert handler(page, PermissionDenied("x")).headers["Content-Type"] == "text/html; charset=utf-8"
    assert told(bad_request(api, DisallowedHost("x")))["status"] == 400
    assert told(server_error(api))["type"] == "/problems/error"
    assert server_error(page).headers["Content-Type"] == "text/html; charset=utf-8"
    missing = page_not_found(api, Http404())
    assert told(missing)["detail"] == "There is nothing at /api/x; /api/docs lists what there is."


def test_an_unforeseen_error_of_a_page_says_nothing_of_itself() -> None:
    shown = server_error(RequestFactory().get("/portal/")).content.decode()
    assert "Something failed on our side" in shown


@pytest.mark.django_db
def test_unknown_paths(client: Client) -> None:
    api = client.get("/api/v1/nothing")
    assert (api.status_code, api.json()["type"]) == (404, "/problems/not-found")
    assert api.json()["requestId"] == api.headers["X-Request-ID"]
    page = client.get("/nothing")
    assert page.status_code == 404
    assert "Nothing here" in page.content.decode()


def test_every_type_leads_to_its_description(client: Client) -> None:
    reference = client.get("/api/docs").content.decode()
    for slug in TYPES:
        answer = client.get(f"/problems/{slug}")
        assert answer.headers["Location"] == f"/api/docs#problem-{slug}"
        assert re.search(rf'id="problem-{slug}"', reference)
    assert client.get("/problems/nonsense").status_code == 404


def test_an_answer_without_an_id_has_none() -> None:
    document = told(problem_response(RequestFactory().get("/api/x"), Problem(detail="x")))
    assert "requestId" not in document
    assert "errors" not in document


@pytest.mark.parametrize("exc", [OperationalError("the database system is starting up"), InterfaceError("closed")])
def test_a_database_that_does_not_answer_is_503_and_logged(exc: Exception, caplog: pytest.LogCaptureFixture) -> None:
    answer = answered(exc)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "starting up" not in answer.content.decode()  # what the server says is ours to know
    assert caplog.records[0].exc_info is not None


def test_a_refusal_of_what_is_missing_is_409_with_its_code() -> None:
    answer = answered(Refused("There is no rate: enter one.", code="rate_missing"))
    document = told(answer)
    assert (answer.status_code, document["type"]) == (409, "/problems/conflict")
    assert document["detail"] == "There is no rate: enter one."
    assert document["errors"] == [{"code": "rate_missing", "message": "There is no rate: enter one."}]
