"""The fields that several resources of billing share: amounts, instants, and the yes or no of a query."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from billing.pricing.members import InvalidMember, read_number
from billing.pricing.money import from_minor, round_to_minor
from squill.lib.clock import parse_instant
from squill.lib.currency import exponent
from squill.lib.decimals import plain
from squill.web.problems import Problem, invalid
from squill.web.serializers import StrictCharField

# Outside of these years a date is a slip of the hand, and a subscription would have thousands of periods.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2199


@extend_schema_field({"type": "string", "format": "decimal", "example": "12.5", "readOnly": True})
class AmountField(serializers.Field[Any, Any, Any, Any]):
    """
    Minor units of a column as a decimal string in major units ("12.5").

    `column` names the column; `holder` leads from the row to what has the currency, empty for the row itself.
    """

    def __init__(self, column: str, *, holder: str = "", **options: Any) -> None:
        super().__init__(source="*", read_only=True, **options)
        self._column = column
        self._holder = holder

    def to_representation(self, value: Any) -> str:
        """Write the amount of the row."""
        currency = (getattr(value, self._holder) if self._holder else value).currency
        return amount_text(getattr(value, self._column), currency)


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(StrictCharField):
    """An instant with its offset, from 2000 to 2199. A text without one is refused: nobody could say which day it means."""

    def to_internal_value(self, data: Any) -> datetime:  # type: ignore[override]
        """
        Return the instant in UTC.

        :raises ValidationError: if it is none, has no offset, or lies in another century
        """
        text = super().to_internal_value(data)
        try:
            instant = parse_instant(text)
        except (ValueError, OverflowError):
            raise _refused(_("Write an instant with its offset, such as 2026-03-01T00:00:00Z.")) from None
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            raise _refused(_("Write a year from %(first)d to %(last)d.") % {"first": FIRST_YEAR, "last": LAST_YEAR})
        return instant

    def to_representation(self, value: Any) -> str:
        """Write the instant as RFC 3339 has it."""
        return str(serializers.DateTimeField().to_representation(value))


@extend_schema_field({"type": "string", "format": "decimal", "example": "12.5"})
class AmountTextField(serializers.Field[Decimal, Any, Any, Any]):
    """An amount in major units as it comes in: a decimal string, exact, below 10^15, more than zero."""

    def to_internal_value(self, data: Any) -> Decimal:
        """
        Return the exact number.

        :raises ValidationError: saying what to write instead
        """
        try:
            return read_number(data, path="", error=InvalidMember, above_zero=True)
        except InvalidMember:
            raise _refused(_("Write an amount above zero as a decimal string, such as 12.50.")) from None

    def to_representation(self, value: Decimal) -> str:
        """Write the number in plain notation."""
        return plain(value)


@extend_schema_field({"type": "string", "format": "decimal", "example": "120.5"})
class PriceTextField(serializers.Field[Decimal, Any, Any, Any]):
    """A price in major units, both ways: a decimal string, exact, of either sign, below 10^15, at most 12 decimals."""

    def to_internal_value(self, data: Any) -> Decimal:
        """
        Return the exact number.

        :raises ValidationError: saying what to write instead
        """
        text = data if isinstance(data, str) else ""
        try:
            price = read_number(text.removeprefix("-"), path="", error=InvalidMember)
        except InvalidMember:
            raise _refused(_("Write a price as a decimal string, such as 120.50 or -10.")) from None
        return -price if text.startswith("-") else price

    def to_representation(self, value: Decimal) -> str:
        """Write the number in plain notation."""
        return plain(value)


@extend_schema_field({"type": "string", "format": "decimal", "example": "5"})
class QuantityTextField(serializers.Field[Decimal, Any, Any, Any]):
    """A quantity, both ways: a decimal string, exact, zero or more, below 10^15, at most 12 decimals."""

    def to_internal_value(self, data: Any) -> Decimal:
        """
        Return the exact number.

        :raises ValidationError: saying what to write instead
        """
        try:
            return Decimal(plain(read_number(data, path="", error=InvalidMember)))
        except InvalidMember:
            raise _refused(_("Write a quantity of zero or more as a decimal string, such as 5 or 2.5.")) from None

    def to_representation(self, value: Decimal) -> str:
        """Write the number in plain notation."""
        return plain(value)


@extend_schema_field({"type": "string", "example": "period_end"})
class WhenField(InstantField):
    """
    When something is to hold: an instant, or one of the words that the field takes.

    "now" comes out as the word, for the view to put its own instant in; "period_end" as services take it.
    """

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(**options)
        self._words = words

    def to_internal_value(self, data: Any) -> Any:
        """
        Return the word, or the instant in UTC.

        :raises ValidationError: saying what to write instead
        """
        if isinstance(data, str) and data in self._words:
            return data
        if not isinstance(data, str) or not data[:1].isdigit():
            words = ", ".join(self._words)
            raise _refused(_("Write %(words)s, or an instant with its offset, such as 2026-03-01T00:00:00Z.") % {"words": words})
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """An integer that must come as a JSON number; DRF's own field takes texts and true as well."""

    def to_internal_value(self, data: Any) -> int:
        """
        Return the number.

        :raises ValidationError: if it is none
        """
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


def amount_text(minor: int, currency: str) -> str:
    """Write minor units as a decimal string in major units, such as 12.5."""
    return plain(from_minor(minor, exponent=exponent(currency)))


def minor_units(amount: Decimal, currency: str, *, field: str) -> int:
    """
    Return an amount in minor units.

    :raises Problem: if the currency has no coin as small as that
    """
    places = exponent(currency)
    minor = round_to_minor(amount, exponent=places)
    if from_minor(minor, exponent=places) != amount:
        message = _("An amount in %(currency)s has at most %(places)d decimals.")
        raise invalid({field: message % {"currency": currency, "places": places}})
    return minor


def flag(query: QueryDict, name: str) -> bool | None:
    """
    Return the parameter as yes or no, None if it was not sent.

    :raises Problem: if it is neither true nor false
    """
    match query.get(name):
        case None:
            return None
        case "true":
            return True
        case "false":
            return False
    raise invalid({name: _("Write true or false.")})


def refusal(message: str, *, code: str, field: str = "", is_conflict: bool) -> Problem:
    """Return the problem for a service's refusal, with the stable code that programs can go by."""
    error = {"field": field, "code": code, "message": message} if field else {"code": code, "message": message}
    detail = f"{field}: {message}" if field else message
    return Problem(type="conflict" if is_conflict else "invalid", detail=detail, errors=[error])


def _refused(message: str) -> serializers.ValidationError:
    return serializers.ValidationError(ErrorDetail(message, code="invalid"))
