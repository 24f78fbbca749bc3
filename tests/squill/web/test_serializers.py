from decimal import Decimal
from typing import Any

import pytest
from rest_framework import serializers

from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer


class Price(StrictSerializer):
    code = StrictCharField(max_length=5)
    amount = PlainDecimalField(max_digits=10, decimal_places=4, required=False, allow_null=True)
    made_at = serializers.DateTimeField(read_only=True)


def errors(data: Any) -> Any:
    serializer = Price(data=data)
    assert not serializer.is_valid()
    return serializer.errors


def test_unknown_read_only_and_bad_members_are_named_together() -> None:
    assert errors({"code": "toolong", "colour": "red", "made_at": None}) == {
        "colour": ["There is no such member."],
        "made_at": ["This cannot be set."],
        "code": ["Ensure this field has no more than 5 characters."],
    }


@pytest.mark.parametrize("value", [1, True, None, ["a"], {"a": 1}])
def test_a_text_must_be_a_string(value: Any) -> None:
    assert list(errors({"code": value})) == ["code"]


@pytest.mark.parametrize(("given", "out"), [("1.50", "1.5"), (Decimal("0.0001"), "0.0001"), (100000, "100000"), ("-0", "0")])
def test_decimals_go_out_plain(given: Any, out: str) -> None:
    serializer = Price(data={"code": "a", "amount": given})
    assert serializer.is_valid()
    assert Price(serializer.validated_data | {"made_at": None}).data["amount"] == out


@pytest.mark.parametrize("value", [True, "1e", "Infinity", "NaN", "1.00001", "12345678", [], "12x"])
def test_what_is_no_decimal_is_refused(value: Any) -> None:
    assert list(errors({"code": "a", "amount": value})) == ["amount"]


def test_no_decimal_is_null() -> None:
    assert Price({"code": "a", "amount": None, "made_at": None}).data["amount"] is None


def test_a_body_that_is_no_object_is_refused() -> None:
    assert errors([1]) == {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}
