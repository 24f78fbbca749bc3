from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from squill.web.parsers import StrictJSONParser, parse_json


def test_numbers_stay_exact() -> None:
    document = parse_json(b'{"a": 0.1, "b": 12345678901234567890, "c": 1e2, "d": 1.50}')
    assert document == {"a": Decimal("0.1"), "b": 12345678901234567890, "c": Decimal(100), "d": Decimal("1.50")}
    assert isinstance(document["a"], Decimal)
    assert isinstance(document["b"], int)


def test_the_parser_reads_the_stream() -> None:
    assert StrictJSONParser().parse(BytesIO('{"name": "Zoë"}'.encode())) == {"name": "Zoë"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The body is not JSON: Expecting value (line 1, column 1)."),
        (b'{"a" 1}', "The body is not JSON: Expecting ':' delimiter (line 1, column 6)."),
        (b'{"a": 1} {"b": 2}', "The body is not JSON: Extra data (line 1, column 10)."),
        (b'\xff{"a": 1}', "The body is not UTF-8 (byte 0)."),
        (b'{"a": NaN}', "The body has NaN, which is not a JSON number."),
        (b'{"a": -Infinity}', "The body has -Infinity, which is not a JSON number."),
        (b'{"a": 1, "b": 2, "a": 3}', "The body has the member 'a' twice in one object."),
        (b'[{"x": {"a": 1, "a": 1}}]', "The body has the member 'a' twice in one object."),
        (b'{"a": "x\\u0000y"}', "The body has a text with a NUL character, which cannot be stored."),
        (b'{"a\\u0000": 1}', "The body has a text with a NUL character, which cannot be stored."),
        (b'[["\\ud83d"]]', "The body has a text with half a surrogate pair, which is not a character."),
        (b'{"\\udc00": 1}', "The body has a text with half a surrogate pair, which is not a character."),
        (b"1" * 101, "The body has a number of more than 100 digits."),
        (b"-" + b"9" * 5000, "The body has a number of more than 100 digits."),
        (b"1e101", "The body has a number of more than 100 digits."),
        (b"1e-999999999", "The body has a number of more than 100 digits."),
        (b"1e9999999999999999999999", "The body has a number of more than 100 digits."),
        (b"0." + b"1" * 300, "The body has a number of more than 100 digits."),
        (b"[" * 66 + b"]" * 66, "The body is nested deeper than 64 levels."),
        (b"[" * 1_000_000, "The body is nested deeper than 64 levels."),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "The body is nested deeper than 64 levels."),
    ],
)
def test_what_is_not_strict_json_is_refused_with_the_reason(body: bytes, message: str) -> None:
    with pytest.raises(ParseError) as refusal:
        parse_json(body)
    assert str(refusal.value.detail) == message


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_json(b'["\\ud83e\\udd91"]') == ["\N{SQUID}"]


def test_sixty_four_levels_are_read() -> None:
    document: Any = parse_json(b"[" * 64 + b"1" + b"]" * 64)
    depth = 0
    while isinstance(document, list):
        document, depth = document[0], depth + 1
    assert (document, depth) == (1, 64)


@pytest.mark.parametrize("body", [b"0e5", b"0.000", b"0e-500", b"-0.0"])
def test_any_zero_is_read(body: bytes) -> None:
    assert parse_json(body) == 0
