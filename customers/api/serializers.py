"""The JSON of a customer. Shapes and types only: what the values may be is decided in customers.services."""

from collections.abc import Mapping
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from customers.models import Customer
from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer

# Member of `address` → column.
ADDRESS_FIELDS: Final = {
    "line1": "address_line1",
    "line2": "address_line2",
    "postal_code": "postal_code",
    "city": "city",
    "region": "region",
    "country": "country",
}


class AddressSerializer(StrictSerializer):
    """A postal address; `country` is the two letters of ISO 3166."""

    line1 = StrictCharField(source="address_line1", max_length=255, allow_blank=True, required=False)
    line2 = StrictCharField(source="address_line2", max_length=255, allow_blank=True, required=False)
    postal_code = StrictCharField(max_length=32, allow_blank=True, required=False)
    city = StrictCharField(max_length=128, allow_blank=True, required=False)
    region = StrictCharField(max_length=128, allow_blank=True, required=False)
    country = StrictCharField(max_length=2, allow_blank=True, required=False)


_EXAMPLE: Final = {
    "external_id": "acme-042",
    "name": "Acme Robotics",
    "legal_name": "Acme Robotics GmbH",
    "email": "billing@acme.example",
    "address": {
        "line1": "Torstraße 1",
        "line2": "",
        "postal_code": "10119",
        "city": "Berlin",
        "region": "",
        "country": "DE",
    },
    "tax_id": "DE136695976",
    "tax_rate_pct": None,
    "purchase_order": "PO-2026-7",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "locale": "de",
    "payment_terms_days": 30,
    "subject_keys": ["acme-042", "acme-042-eu"],
}
_DATES: Final = {"created_at": "2026-03-01T00:00:00Z", "archived_at": None}


@extend_schema_serializer(
    examples=[
        OpenApiExample("A new customer", value=_EXAMPLE, request_only=True),
        OpenApiExample("A customer", value=_EXAMPLE | _DATES, response_only=True),
    ]
)
class CustomerSerializer(StrictSerializer):
    """A company or person that is billed."""

    external_id = StrictCharField(
        max_length=255, trim_whitespace=False, help_text="How your own systems name the customer. It never changes."
    )
    name = StrictCharField(max_length=255)
    legal_name = StrictCharField(
        max_length=255, allow_blank=True, required=False, help_text="Printed on invoices; the name if empty."
    )
    email = StrictCharField(max_length=254, allow_blank=True, required=False, help_text="Where invoices are mailed to.")
    address = AddressSerializer(source="*", required=False)
    tax_id = StrictCharField(max_length=64, allow_blank=True, required=False)
    tax_rate_pct = PlainDecimalField(
        max_digits=7,
        decimal_places=4,
        required=False,
        allow_null=True,
        help_text="Percent of tax on every line, 0 to 100, in place of the tax rules; null (if left out): the rules decide.",
    )
    purchase_order = StrictCharField(max_length=64, allow_blank=True, required=False, help_text="Printed as “your reference”.")
    currency = StrictCharField(
        max_length=3, required=False, help_text="ISO 4217. Fixed once the customer has a subscription. EUR if left out."
    )
    timezone = StrictCharField(
        max_length=64,
        required=False,
        help_text="An IANA zone, in which days and billing periods begin. Fixed once there is usage. UTC if left out.",
    )
    locale = StrictCharField(max_length=16, required=False, help_text="The language of documents, such as en or de.")
    payment_terms_days = serializers.IntegerField(required=False, help_text="Days from invoice to due date, 0 to 365.")
    subject_keys = serializers.ListField(
        child=StrictCharField(max_length=255, trim_whitespace=False),
        required=False,
        help_text="The keys by which events name the customer; its external id is always one of them.",
    )
    created_at = serializers.DateTimeField(read_only=True)
    archived_at = serializers.DateTimeField(read_only=True, allow_null=True)

    def to_representation(self, instance: Customer) -> dict[str, Any]:
        """Return the JSON of a customer whose `subjects` are at hand (prefetched)."""
        keys = sorted(subject.key for subject in instance.subjects.all())
        instance.subject_keys = keys  # type: ignore[attr-defined]
        return super().to_representation(instance)


def replaced(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a PUT: what it left out goes back to the default that a new customer has."""
    names = set(CustomerSerializer().fields) - {"address", "subject_keys", "created_at", "archived_at", "external_id"}
    columns = names | set(ADDRESS_FIELDS.values())
    fresh = Customer()
    defaults = {column: getattr(fresh, column) for column in columns}
    return {**defaults, "subject_keys": [], **values}
