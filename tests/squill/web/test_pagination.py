import base64
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from customers.models import Customer
from squill.web.pagination import CursorPages
from squill.web.problems import Problem
from tests.customers.factories import CustomerFactory

pytestmark = pytest.mark.django_db


class ByExternalId(APIView):
    ordering = "external_id"


def page(view: APIView | None = None, **query: Any) -> tuple[list[str], str | None]:
    """Return the external ids of a page, and its next cursor."""
    pages = CursorPages()
    rows = pages.paginate_queryset(Customer.objects.all(), Request(APIRequestFactory().get("/", query)), view)
    answer = pages.get_paginated_response([row.external_id for row in rows]).data
    return answer["items"], answer["nextCursor"]


def make(*names: str) -> None:
    for name in names:
        CustomerFactory.create(external_id=name)


def test_pages_go_from_the_newest_to_the_end() -> None:
    make("a", "b", "c", "d", "e")
    first, cursor = page(limit=2)
    second, cursor_2 = page(limit=2, cursor=cursor)
    third, end = page(limit=2, cursor=cursor_2)
    assert (first, second, third, end) == (["e", "d"], ["c", "b"], ["a"], None)


def test_a_full_last_page_has_no_next() -> None:
    make("a", "b")
    assert page(limit=2) == (["b", "a"], None)


def test_rows_that_come_in_between_shift_nothing() -> None:
    make("a", "b", "c")
    _first, cursor = page(limit=2)
    make("d")
    assert page(limit=2, cursor=cursor) == (["a"], None)


def test_a_view_may_order_by_another_unique_field() -> None:
    make("b", "ü:,", "a")
    first, cursor = page(ByExternalId(), limit=1)
    second, cursor = page(ByExternalId(), limit=1, cursor=cursor)
    third, end = page(ByExternalId(), limit=1, cursor=cursor)
    assert (first, second, third, end) == (["a"], ["b"], ["ü:,"], None)


def test_an_empty_list_is_one_page() -> None:
    assert page() == ([], None)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1.5", "٣", "9" * 5000])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(Problem, match=r"^limit: Write a whole number from 1 to 1000\.$"):
        page(limit=limit)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    ["x", "ä", "====", encoded("-id:abc"), encoded("id:1"), encoded("-id"), encoded("-id:1\0"), encoded("-id:" + "9" * 30)],
)
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Problem, match=r"^cursor: Send back the nextCursor of the page before, unchanged\.$"):
        page(cursor=cursor)


def test_the_schema_describes_the_page() -> None:
    schema = CursorPages().get_paginated_response_schema({"type": "array"})
    assert schema["required"] == ["items", "nextCursor"]
    assert [parameter["name"] for parameter in CursorPages().get_schema_operation_parameters(APIView())] == ["limit", "cursor"]
