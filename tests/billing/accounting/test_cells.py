"""No text is a formula to a spreadsheet, numbers and days are written plainly."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.accounting.cells import defused, money, written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1234", "'+49 30 1234"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("\r\n=1", "' =1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("Acme;=1", "Acme;'=1"),
        ("Acme\n=1", "Acme =1"),
        ("Acme-1 + 2 = 3", "Acme-1 + 2 = 3"),
        ("", ""),
    ],
)
def test_a_text_that_begins_like_a_formula_is_defused(text: str, said: str) -> None:
    assert defused(text) == said


@given(st.text(alphabet="=+-@;\t\r\n \x00a'\"\uff1d", max_size=12))
def test_no_cell_begins_like_a_formula_however_the_row_is_cut(text: str) -> None:
    for cell in defused(text).split(";"):
        assert cell.lstrip()[:1] not in ("=", "+", "-", "@", "\t", "\uff1d")
    assert not {"\t", "\r", "\n", "\x00"} & set(defused(text))


def test_numbers_stay_numbers() -> None:
    cells = (money(-1250, "EUR"), money(7, "JPY"), money(1, "KWD"), Decimal("1E+3"), 3, None, date(2026, 3, 1))
    assert written(cells) == ["-12.50", "7", "0.001", "1000", "3", "", "2026-03-01"]
