from typing import Any

import pytest

from billing.api.examples import CALCULATION, CALCULATION_BODY
from tests.billing.api.calling import Caller
from tests.billing.builders import make_customer, row_counts

pytestmark = pytest.mark.django_db


def test_a_document_is_priced_and_nothing_is_written() -> None:
    caller = Caller("read")
    caller.get("/plans")  # the key's last use is written now, and not within the minute
    before = row_counts()

    answer = caller.post("/calculate", CALCULATION_BODY)

    # 1000 * 0 + 500 * 0.01 = 5.00, with 20 % tax 6.00
    assert answer.status == 200
    assert answer.json == CALCULATION
    assert row_counts() == before


def test_a_narrowed_key_may_calculate_and_one_without_read_may_not() -> None:
    assert Caller("read", customer=make_customer("acme")).post("/calculate", CALCULATION_BODY).status == 200
    assert Caller("write", "events:write").post("/calculate", CALCULATION_BODY).status == 403


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        (
            '{"currency": "USD", "lines": [{"id": "a", "charge": {"model": "flat", "amount": 1.5}}]}',
            "lines[0].charge.amount",
            '"1.5"',
        ),
        ({"currency": "XXX", "lines": []}, "currency", "ISO 4217"),
        ({"currency": "USD"}, "lines", "is missing"),
        ({"currency": "USD", "lines": [], "coupons": []}, "coupons", "unknown member"),
        ({"currency": "USD", "lines": [{"id": "a", "charge": {"model": "free"}}]}, "lines[0].charge.model", "must be one of"),
        ([], "", "must be an object"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_by_its_path(body: Any, path: str, message: str) -> None:
    answer = Caller("read").post("/calculate", body)

    assert answer.status == 400
    [(field, said)] = answer.told
    assert field == path
    assert message in said


@pytest.mark.parametrize(
    "body",
    [
        "{",
        '{"currency": "USD", "currency": "EUR", "lines": []}',
        '{"currency": NaN}',
        "[" * 100 + "]" * 100,
        '{"currency": "\\ud800"}',
    ],
)
def test_what_is_not_json_is_malformed(body: str) -> None:
    answer = Caller("read").post("/calculate", body)

    assert (answer.status, answer.json["type"]) == (400, "/problems/malformed")
