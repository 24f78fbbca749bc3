"""How the JSON of all resources is read and written: unknown members are errors, decimals are plain strings."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from squill.lib.decimals import plain


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses members which it does not know, so that a misspelt one is never silently dropped."""

    def to_internal_value(self, data: Any) -> Any:
        """
        Return the validated values.

        :raises ValidationError: with every unknown and every bad member
        """
        unknown = self._unknown_members(data)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not isinstance(error.detail, Mapping):
                raise
            raise serializers.ValidationError({**unknown, **error.detail}) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def _unknown_members(self, data: Any) -> dict[str, list[str]]:
        if not isinstance(data, Mapping):
            return {}
        writable = {name for name, field in self.fields.items() if not field.read_only}
        return {
            name: [_("This cannot be set.") if name in self.fields else _("There is no such member.")]
            for name in data
            if name not in writable
        }


class StrictCharField(serializers.CharField):
    """A text that must come as a JSON string; DRF's own field takes numbers too."""

    def to_internal_value(self, data: Any) -> str:
        """
        Return the text.

        :raises ValidationError: if it is no string, or too long
        """
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "format": "decimal", "example": "12.5"})
class PlainDecimalField(serializers.DecimalField):
    """A decimal that goes out as a string without exponent or trailing zeros ("1.5"), and comes in as one or as a number."""

    def to_internal_value(self, data: Any) -> Decimal:
        """
        Return the exact number.

        :raises ValidationError: if it is no number, not finite, or has too many digits
        """
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> str | None:  # type: ignore[override]
        """Write the number in plain notation."""
        return None if value is None else plain(Decimal(value))
