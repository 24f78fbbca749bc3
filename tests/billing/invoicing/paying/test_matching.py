"""The numbers of invoices in the text of a transfer: found as people write them, and never within longer ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.invoicing.paying.matching import MAX_TEXT, invoices_named_in, numbers_in
from billing.models import Invoice
from tests.billing.paying import customer_with_invoices, numbered, pay

NUMBERS = ["INV-000001", "INV-000012", "EU-INV-000001", "R 7"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("INV-000001", ["INV-000001"]),
        ("Invoice inv-000001, thank you", ["INV-000001"]),
        ("INV-000012/INV-000001", ["INV-000012", "INV-000001"]),
        ("INV-000001 INV-000001", ["INV-000001"]),
        ("your ref INV-00\n0012", ["INV-000012"]),  # the bank broke the line
        ("i n v - 0 0 0 0 1 2", ["INV-000012"]),
        ("EU-INV-000001", ["EU-INV-000001"]),  # and not the shorter one within it
        ("EU-INV-000001 and INV-000001", ["EU-INV-000001", "INV-000001"]),
        ("INV-0000012", []),
        ("XINV-000001", []),
        ("INV-000001a", []),
        ("INV-00001 2", ["INV-000012"]),
        ("r 7", ["R 7"]),
        ("R7", ["R 7"]),
        ("R 77", []),
        ("", []),
        (" " * MAX_TEXT + "INV-000001", []),
    ],
)
def test_numbers_are_found_as_a_whole(text: str, found: list[str]) -> None:
    assert numbers_in(text, NUMBERS) == found


@given(st.text(alphabet="IiNnVv-0123456789 R\n._*+(\\", max_size=80), st.sampled_from(NUMBERS))
def test_whatever_stands_around_it_a_number_between_spaces_is_found(around: str, number: str) -> None:
    assert number in numbers_in(f"{number} | {around}", NUMBERS)


@pytest.mark.django_db
def test_only_the_customers_own_invoices_that_can_be_paid_are_named() -> None:
    customer = customer_with_invoices(3)
    customer_with_invoices(1, "other")  # INV-000004
    pay(numbered(1), 1000)
    Invoice.objects.filter(number="INV-000003").update(status="uncollectible")
    text = "INV-000004 INV-000003 INV-000002 INV-000001"
    assert invoices_named_in(text, customer) == ["INV-000003", "INV-000002"]
