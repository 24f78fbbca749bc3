"""The books of a month: each file has what happened, they sum to the totals, and the totals to the documents."""

from decimal import Decimal

import pytest

from tests.billing.accounting.books import HOSTILE, april, exported, february, march, rows, summed
from tests.billing.builders import sql, triggers_off

pytestmark = pytest.mark.django_db

# Worked by hand, see books.py. Open at first: 7.00 of INV-000001 and 12.00 of INV-000002.
MARCH = [
    ("invoices", "subtotal", "30.00"),
    ("invoices", "discount", "0.00"),
    ("invoices", "tax", "6.00"),
    ("invoices", "total", "36.00"),
    ("credit_notes", "subtotal", "1.00"),
    ("credit_notes", "discount", "0.00"),
    ("credit_notes", "tax", "0.20"),
    ("credit_notes", "total", "1.20"),
    ("receivables", "opening", "19.00"),
    ("receivables", "invoiced", "36.00"),
    ("receivables", "credits_used", "-3.00"),
    ("receivables", "credited", "-1.20"),
    ("receivables", "paid", "-26.80"),  # 7.00 + 12.00 of acme, and 7.80 that bounce
    ("receivables", "taken_back", "7.80"),
    ("receivables", "void", "-12.00"),
    ("receivables", "uncollectible", "-12.00"),
    ("receivables", "closing", "7.80"),
    ("receivables", "closing_by_documents", "7.80"),
    ("payments", "opening", "0.00"),
    ("payments", "received", "27.80"),
    ("payments", "reversed", "-7.80"),
    ("payments", "allocated", "-26.80"),
    ("payments", "taken_back", "7.80"),
    ("payments", "closing", "1.00"),
    ("payments", "closing_by_documents", "1.00"),
    ("credits", "opening", "3.00"),
    ("credits", "granted", "0.00"),
    ("credits", "used", "-3.00"),
    ("credits", "returned", "0.00"),
    ("credits", "expired", "0.00"),
    ("credits", "voided", "0.00"),
    ("credits", "refunded", "0.00"),
    ("credits", "closing", "0.00"),
]


def totals(files: dict[str, bytes]) -> list[tuple[str, str, str]]:
    found = rows(files, "totals")
    assert {row["currency"] for row in found} <= {"EUR"}
    return [(row["account"], row["item"], row["amount"]) for row in found]


def test_a_month_with_everything_sums_to_the_books() -> None:
    march(february())
    files, found = exported()
    assert totals(files) == MARCH
    assert found.differences == []


def test_what_happens_later_leaves_a_month_as_it_was_and_opens_with_its_closing() -> None:
    customers = february()
    march(customers)
    april(customers)
    files, found = exported("2026-03")
    assert (totals(files), found.differences) == (MARCH, [])
    following, found = exported("2026-04")
    of_april = {(account, item): amount for account, item, amount in totals(following)}
    assert found.differences == []
    assert of_april["receivables", "opening"] == "7.80"
    # Given up for 12.00, and paid after all.
    assert (of_april["receivables", "uncollectible"], of_april["payments", "opening"]) == ("12.00", "1.00")
    assert of_april["receivables", "closing"] == of_april["receivables", "closing_by_documents"]


def test_the_month_before_anything_is_empty() -> None:
    february()
    files, found = exported("2026-01")
    assert (totals(files), found.differences) == ([], [])
    assert files["invoices.csv"].count(b"\r\n") == 1


def test_each_file_sums_to_the_totals() -> None:
    march(february())
    files, _totals = exported()
    of = {(account, item): Decimal(amount) for account, item, amount in totals(files)}
    invoices, lines, taxes = rows(files, "invoices"), rows(files, "lines"), rows(files, "taxes")
    assert [row["number"] for row in invoices] == ["INV-000004", "INV-000005", "INV-000006"]
    assert [row["status"] for row in invoices] == ["paid", "finalized", "void"]
    assert summed(invoices, "total") == of["invoices", "total"] == Decimal("36.00")
    assert summed(invoices, "credits") == -of["receivables", "credits_used"]
    assert summed(lines, "net") == of["invoices", "subtotal"] - of["invoices", "discount"]
    assert summed(taxes) == of["invoices", "tax"]
    assert summed(taxes, "base") == summed(lines, "net")
    notes = rows(files, "credit_notes")
    assert [(row["number"], row["invoice"], row["to_invoice"]) for row in notes] == [("CN-000001", "INV-000005", "1.20")]
    assert summed(notes, "total") == of["credit_notes", "total"]
    assert summed(rows(files, "credit_note_lines"), "net") + summed(rows(files, "credit_note_taxes")) == Decimal("1.20")
    payments = rows(files, "payments")
    for item in ("received", "reversed", "allocated", "taken_back"):
        assert summed(payments, movement=item) == of["payments", item]
    assert summed(rows(files, "credits"), movement="used") == of["credits", "used"]
    assert rows(files, "discounts") == []


def test_payments_tell_what_they_paid_and_why_they_came_back() -> None:
    march(february())
    payments = rows(exported()[0], "payments")
    told = [(row["day"], row["movement"], row["invoice"], row["amount"], row["reason"]) for row in payments]
    assert told == [
        ("2026-03-05", "received", "", "20.00", ""),
        ("2026-03-05", "allocated", "INV-000001", "-7.00", ""),
        ("2026-03-05", "allocated", "INV-000004", "-12.00", ""),
        ("2026-03-15", "received", "", "7.80", ""),
        ("2026-03-15", "allocated", "INV-000005", "-7.80", ""),
        ("2026-03-20", "taken_back", "INV-000005", "7.80", ""),
        ("2026-03-20", "reversed", "", "-7.80", "'=cmd"),
    ]


def test_no_text_is_a_formula_and_every_number_is_one() -> None:
    march(february())
    files, _totals = exported()
    buyers = {row["customer"]: row["buyer"] for row in rows(files, "invoices")}
    assert buyers["evil"] == f"'{HOSTILE}"
    assert buyers["third"] == "'@SUM(A1:A9)"
    assert rows(files, "payments")[0]["reference"] == "'-mar"
    assert rows(files, "credits")[0]["name"] == "'+Welcome"
    assert rows(files, "credit_notes")[0]["explanation"] == "'=goodwill"
    for name in files:
        for row in rows(files, name.removesuffix(".csv")):
            for cell in row.values():
                assert cell[:1] not in ("=", "+", "@", "\t", "\r")
                if cell.startswith("-"):
                    Decimal(cell)


def test_a_mark_is_put_before_each_file_where_it_is_asked_for() -> None:
    february()
    plain, _totals = exported("2026-02")
    marked, _totals = exported("2026-02", with_bom=True)
    assert {name: b"\xef\xbb\xbf" + content for name, content in plain.items()} == marked


def test_the_same_books_give_the_same_bytes() -> None:
    march(february())
    assert exported() == exported()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "UPDATE billing_invoice SET paid_minor = 100 WHERE number = 'INV-000005'",
            ["receivables in EUR: movements come to 780, the documents say 680 (minor units)"],
        ),
        (
            "UPDATE billing_invoice SET status = 'finalized' WHERE number = 'INV-000002'",
            ["receivables in EUR: movements come to 780, the documents say 1980 (minor units)"],
        ),
        (
            "UPDATE billing_payment SET allocated_minor = 1800 WHERE reference = '-mar'",
            ["payments in EUR: movements come to 100, the documents say 200 (minor units)"],
        ),
    ],
)
def test_books_that_do_not_agree_are_told(damage: str, told: list[str]) -> None:
    march(february())
    with triggers_off():
        sql(damage)
    _files, found = exported()
    assert found.differences == told
