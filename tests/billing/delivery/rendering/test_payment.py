import pytest

from billing.delivery.rendering.payment import bank_code, bank_rows, in_fours, method_name, online_address, settlement_rows
from billing.invoicing.snapshot import Bank, Settlement
from tests.billing.delivery.rendering.snapshots import credit_note, snapshot


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://pay.example/1?a=b", "https://pay.example/1?a=b"),
        ("http://127.0.0.1:8000/pay", "http://127.0.0.1:8000/pay"),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://pay.example/a b", ""),
        ("data:text/html,x", ""),
    ],
)
def test_only_an_address_of_a_page_becomes_a_link(url: str, address: str) -> None:
    assert online_address(snapshot(payment_url=url)) == address


def test_bank_details_are_printed_as_banks_write_them() -> None:
    assert [(row.label, row.value) for row in bank_rows(snapshot())] == [
        ("Bank", "AIB Bank plc"),
        ("IBAN", "IE29 AIBK 9311 5212 3456 78"),
        ("BIC", "AIBKIE2D"),
        ("Reference", "NL-2026-000417"),
    ]
    assert bank_rows(snapshot(bank=Bank(bic="AIBKIE2D"))) == []


def test_an_account_number_is_written_in_fours() -> None:
    assert in_fours("IE29 AIBK9311 5212345678") == "IE29 AIBK 9311 5212 3456 78"


def test_only_a_transfer_in_euro_to_a_known_account_has_a_code() -> None:
    assert bank_code(snapshot(), amount_minor=100) is not None
    assert bank_code(snapshot(currency="USD"), amount_minor=100) is None
    assert bank_code(snapshot(bank=Bank(bank_name="AIB")), amount_minor=100) is None


def test_a_credit_note_says_what_becomes_of_it() -> None:
    assert [(row.label, row.value) for row in settlement_rows(credit_note())] == [
        ("Taken off invoice NL-2026-000417", "€50.00"),
        ("Kept for your next invoices", "€16.42"),
    ]
    refunded = credit_note(settlement=Settlement(to_refund_minor=6_642), related=())
    assert [(row.label, row.value) for row in settlement_rows(refunded)] == [("Paid back to you", "€66.42")]
    assert settlement_rows(snapshot()) == []


def test_ways_to_pay_have_names() -> None:
    assert [method_name(word) for word in ("bank_transfer", "sepa_instant", "")] == ["Bank transfer", "Sepa instant", ""]
