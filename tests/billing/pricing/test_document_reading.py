from fractions import Fraction
from typing import Any

import pytest

from billing.pricing.document_reading import DocumentError, read_document, read_json

PER_UNIT = {"model": "per_unit", "unit_amount": "1"}
LINE: dict[str, Any] = {"id": "a", "charge": PER_UNIT, "quantity": "1"}
FEES = {"model": "percentage", "rate": "1", "fixed_amount": "1"}


def document(**members: Any) -> dict[str, Any]:
    return {"currency": "EUR", "lines": [LINE], **members}


def line(**members: Any) -> dict[str, Any]:
    return document(lines=[{**LINE, **members}])


REFUSED: list[tuple[object, str, str]] = [
    ([], "", "must be an object, got a list"),
    ({"lines": []}, "currency", "is missing: give a text"),
    (document(currency="EURO"), "currency", "unknown currency 'EURO': use an ISO 4217 code such as EUR or USD"),
    (document(currency="eur"), "currency", "unknown currency 'eur': use an ISO 4217 code such as EUR or USD"),
    ({"currency": "EUR"}, "lines", "is missing: give a list of lines"),
    (document(lines={}), "lines", "must be a list, got an object"),
    (document(lines=["a"]), "lines[0]", "must be an object, got 'a'"),
    (
        document(note="x"),
        "note",
        "unknown member: a document takes commitments, credit_notes, currency, discounts, lines, prepaid_credits",
    ),
    (line(id=""), "lines[0].id", "must be a text of 1 to 255 characters, got ''"),
    (line(id=None), "lines[0].id", "is missing: give a text"),
    (line(id="x" * 256), "lines[0].id", f"must be a text of 1 to 255 characters, got '{'x' * 59}…"),
    (line(id=7), "lines[0].id", "must be a text of 1 to 255 characters, got 7"),
    (document(lines=[LINE, LINE]), "lines[1].id", "'a' occurs twice: every line and commitment needs its own"),
    (line(charge=None), "lines[0].charge", "is missing: give the charge that prices the line"),
    (
        line(charge={"model": "x"}),
        "lines[0].charge.model",
        "must be one of flat, per_unit, graduated, volume, package, stairstep, percentage, graduated_percentage, got 'x'",
    ),
    (
        line(charge={"model": "volume", "tiers": [{"up_to": "1", "unit_amount": "1"}]}),
        "lines[0].charge.tiers[0].up_to",
        "must be null: the last tier has to be open, so that every quantity has a price",
    ),
    (line(quantity=None), "lines[0].quantity", "is missing: this charge needs `quantity`"),
    (line(quantity="-1"), "lines[0].quantity", "must be zero or more, got '-1': write reductions as discounts or credit notes"),
    (line(quantity=1.5), "lines[0].quantity", 'is a binary number, which is not exact: write it as a string, "1.5"'),
    (line(events=["1"]), "lines[0].events", "cannot stand beside `quantity`: give one of them"),
    (
        line(quantity=None, events=["1"]),
        "lines[0].events",
        "cannot be priced one by one by this charge: give their sum as `quantity`",
    ),
    (
        line(charge=FEES),
        "lines[0].quantity",
        "is not enough: this charge prices single events, give the amount of each in `events`",
    ),
    (line(charge=FEES, quantity=None), "lines[0].events", "is missing: this charge needs `events`"),
    (
        line(charge=FEES, quantity=None, events=["1", "x"]),
        "lines[0].events[1]",
        "must be a decimal string such as \"0.25\", got 'x'",
    ),
    (line(amount="1"), "lines[0].amount", "unknown member: a line takes charge, events, id, quantity, taxes"),
    (line(taxes="20"), "lines[0].taxes", "must be a list, got '20'"),
    (line(taxes=["101"]), "lines[0].taxes[0]", "must be at most 100, got '101'"),
    (line(taxes=["20", "20.0"]), "lines[0].taxes[1]", "the rate 20.0 occurs twice on one line"),
    (document(commitments=[{"id": "m"}]), "commitments[0].amount", 'is missing: give an amount such as "25"'),
    (
        document(commitments=[{"id": "a", "amount": "1"}]),
        "commitments[0].id",
        "'a' occurs twice: every line and commitment needs its own",
    ),
    (
        document(commitments=[{"id": "m", "amount": "1.005"}]),
        "commitments[0].amount",
        "must have at most 2 decimals in EUR, got '1.005'",
    ),
    (
        document(commitments=[{"id": "m", "amount": "1", "factor": "1.1"}]),
        "commitments[0].factor",
        "must be at most 1, got '1.1'",
    ),
    (
        document(commitments=[{"id": "m", "amount": "1", "factor": "32/31"}]),
        "commitments[0].factor",
        "must be from 0 to 1, such as \"10/31\", got '32/31'",
    ),
    (
        document(commitments=[{"id": "m", "amount": "1", "factor": "0/0"}]),
        "commitments[0].factor",
        "must be from 0 to 1, such as \"10/31\", got '0/0'",
    ),
    (
        document(commitments=[{"id": "m", "amount": "1", "factor": "1/x"}]),
        "commitments[0].factor",
        "must be a decimal string such as \"0.25\", got '1/x'",
    ),
    (
        document(commitments=[{"id": "m", "amount": "1", "applies_to": ["m"]}]),
        "commitments[0].applies_to[0]",
        "must be the id of a line above, got 'm'",
    ),
    (
        document(commitments=[{"id": "m", "amount": "1", "minimum": "1"}]),
        "commitments[0].minimum",
        "unknown member: a commitment takes amount, applies_to, factor, id, taxes",
    ),
    (document(discounts=[{}]), "discounts[0].amount", "or percent: a discount takes exactly one of the two"),
    (
        document(discounts=[{"amount": "1", "percent": "1"}]),
        "discounts[0].amount",
        "or percent: a discount takes exactly one of the two",
    ),
    (document(discounts=[{"percent": "101"}]), "discounts[0].percent", "must be at most 100, got '101'"),
    (
        document(discounts=[{"amount": "-1"}]),
        "discounts[0].amount",
        "must be zero or more, got '-1': write reductions as discounts or credit notes",
    ),
    (
        document(discounts=[{"amount": "1", "applies_to": ["b"]}]),
        "discounts[0].applies_to[0]",
        "must be the id of a line above, got 'b'",
    ),
    (
        document(discounts=[{"amount": "1", "applies_to": [["a"]]}]),
        "discounts[0].applies_to[0]",
        "must be the id of a line above, got a list",
    ),
    (
        document(discounts=[{"amount": "1", "applies_to": []}]),
        "discounts[0].applies_to",
        "names no line: leave it out to mean every line",
    ),
    (
        document(discounts=[{"amount": "1", "rate": "1"}]),
        "discounts[0].rate",
        "unknown member: a discount takes amount, applies_to, percent",
    ),
    (document(credit_notes=["1", "x"]), "credit_notes[1]", "must be a decimal string such as \"0.25\", got 'x'"),
    (document(credit_notes=[{"id": "CN-1"}]), "credit_notes[0].amount", 'is missing: give an amount such as "25"'),
    (document(credit_notes=[None]), "credit_notes[0]", 'is missing: give an amount such as "25"'),
    (
        document(prepaid_credits=[{"amount": "1", "on": "x"}]),
        "prepaid_credits[0].on",
        "unknown member: a credit takes amount, id",
    ),
    (document(currency="JPY", prepaid_credits=["0.5"]), "prepaid_credits[0]", "must have at most 0 decimals in JPY, got '0.5'"),
]


@pytest.mark.parametrize(("value", "path", "message"), REFUSED)
def test_the_error_names_the_member_and_the_mend(value: object, path: str, message: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read_document(value)
    assert refused.value.path == path
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ("", "is not JSON: Expecting value at line 1, column 1"),
        ("[\n 1 2]", "is not JSON: Expecting ',' delimiter at line 2, column 4"),
        ('{"a": 1, "b": 2, "b": 3}', "the member 'b' occurs twice in one object: keep one"),
        (f'{{"{"n" * 61}": 1, "{"n" * 61}": 2}}', f"the member '{'n' * 60}' occurs twice in one object: keep one"),
        ("[" * 100_000, "is nested too deep"),
        ("9" * 5000, "has a number with thousands of digits"),
    ],
)
def test_json_that_would_lose_something_is_refused(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as refused:
        read_json(text)
    assert (refused.value.path, refused.value.message, str(refused.value)) == ("", message, message)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("1.50", 'is a binary number, which is not exact: write it as a string, "1.50"'),
        ("1e3", 'must be a decimal string such as "0.25", got 1e3'),
        ("NaN", 'must be a decimal string such as "0.25", got NaN'),
        ("-Infinity", 'must be a decimal string such as "0.25", got -Infinity'),
    ],
)
def test_a_number_that_json_readers_would_round_is_refused_where_it_stands(number: str, message: str) -> None:
    text = '{"currency": "EUR", "lines": [{"id": "a", "charge": {"model": "flat", "amount": %s}}]}'
    with pytest.raises(DocumentError) as refused:
        read_document(read_json(text % number))
    assert (refused.value.path, refused.value.message) == ("lines[0].charge.amount", message)


def test_whole_numbers_may_be_json_numbers() -> None:
    read = read_document(read_json('{"currency": "EUR", "lines": [{"id": "a", "charge": {"model": "flat", "amount": 5}}]}'))
    assert read.lines[0].quantity == 1


def test_a_name_may_have_255_characters() -> None:
    assert read_document(line(id="x" * 255)).lines[0].id == "x" * 255


def test_a_quantity_of_nothing_is_nothing() -> None:
    assert read_document(line(quantity="0")).lines[0].quantity == 0
    assert read_document(line(charge={"model": "flat", "amount": "5"}, quantity="0")).lines[0].quantity == 0


@pytest.mark.parametrize(
    ("factor", "part"),
    [
        ("31/31", Fraction(1)),
        ("0/31", Fraction(0)),
        ("0.25", Fraction(1, 4)),
        (1, Fraction(1)),
        (0, Fraction(0)),
        (None, Fraction(1)),
    ],
)
def test_the_part_of_a_commitment_is_a_ratio_or_a_decimal(factor: object, part: Fraction) -> None:
    read = read_document(document(commitments=[{"id": "m", "amount": "1", "factor": factor}]))
    assert read.commitments[0].factor == part


def test_null_lines_to_apply_to_are_all_lines() -> None:
    read = read_document(
        document(
            commitments=[{"id": "m", "amount": "1", "applies_to": None}],
            discounts=[{"amount": "1", "applies_to": None}, {"amount": "1", "applies_to": ["a", "m"]}],
        )
    )
    assert [read.commitments[0].applies_to, *(discount.applies_to for discount in read.discounts)] == [None, None, {"a", "m"}]
