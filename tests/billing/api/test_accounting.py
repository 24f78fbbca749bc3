"""The books of a month over HTTP."""

import io
import zipfile

import pytest

from tests.billing.accounting.books import february
from tests.billing.api.calling import Caller
from tests.billing.builders import sql, triggers_off

pytestmark = pytest.mark.django_db


def test_a_month_is_handed_out_as_a_zip() -> None:
    february()
    caller = Caller()
    answer = caller.get("/accounting/2026-02")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="default-2026-02.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "totals.csv" in archive.namelist()
        assert b"receivables,EUR,closing,19.00\r\n" in archive.read("totals.csv")


@pytest.mark.parametrize(
    ("path", "field", "code"),
    [
        ("/accounting/2026-13", "month", "month_unreadable"),
        ("/accounting/2026-02?entity=nobody", "entity", "entity_not_found"),
    ],
)
def test_what_cannot_be_read_is_refused(path: str, field: str, code: str) -> None:
    february()
    error = Caller().get(path).json["errors"][0]
    assert (error["field"], error["code"]) == (field, code)


def test_books_that_do_not_agree_are_not_handed_out() -> None:
    february()
    with triggers_off():
        sql("UPDATE billing_invoice SET paid_minor = 400 WHERE number = 'INV-000001'")
    answer = Caller().get("/accounting/2026-02")
    assert (answer.status, answer.json["errors"][0]["code"]) == (409, "books_differ")


def test_the_books_are_not_for_a_key_of_one_customer() -> None:
    customers = february()
    assert Caller.narrowed_to(customers["acme"]).get("/accounting/2026-02").status == 403
