"""
The JSON of `calculate`, described. It is read by billing.pricing.document, which is stricter than any serializer: each
error there names the path of its member.
"""

from typing import Any

from rest_framework import serializers

from billing.api.invoice_serializers import BreakdownSerializer
from billing.api.plan_serializers import PriceSerializer
from squill.web.serializers import PlainDecimalField, StrictSerializer


def _amount(help_text: str = "", **options: Any) -> PlainDecimalField:
    return PlainDecimalField(max_digits=60, decimal_places=24, help_text=help_text, **options)


def _rates() -> serializers.ListField:
    return serializers.ListField(child=_amount(), required=False, help_text="Percentages of tax on it.")


def _line_ids(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), required=False, help_text=help_text)


class CalculationLineSerializer(StrictSerializer):
    """A charge and what it prices."""

    id = serializers.CharField(max_length=255)
    charge = PriceSerializer()
    quantity = _amount("1 for a flat charge, if left out.", required=False)
    events = serializers.ListField(
        child=_amount(), required=False, help_text="The amounts of single events, where the model prices each."
    )
    taxes = _rates()


class CommitmentSerializer(StrictSerializer):
    """A minimum that lines are lifted to."""

    id = serializers.CharField(max_length=255)
    amount = _amount()
    applies_to = _line_ids("The ids of lines; all if left out.")
    factor = serializers.CharField(required=False, help_text='Prorates it: "0.5", or "10/31".')
    taxes = _rates()


class DiscountSerializer(StrictSerializer):
    """Either an amount or a percentage off what remains."""

    amount = _amount(required=False)
    percent = _amount(required=False)
    applies_to = _line_ids("The ids of lines and commitments; all if left out.")


class CalculationSerializer(StrictSerializer):
    """An invoice to price. All numbers are decimal strings; unknown members are refused."""

    currency = serializers.CharField(max_length=3, help_text="ISO 4217.")
    lines = CalculationLineSerializer(many=True)
    commitments = CommitmentSerializer(many=True, required=False)
    discounts = DiscountSerializer(many=True, required=False)
    credit_notes = serializers.ListField(child=_amount(), required=False)
    prepaid_credits = serializers.ListField(child=_amount(), required=False)


class CalculatedLineSerializer(StrictSerializer):
    """A line, priced."""

    id = serializers.CharField()
    quantity = _amount()
    exact_amount = _amount("Unrounded.")
    amount = _amount("Rounded once, half away from zero.")
    breakdown = BreakdownSerializer(many=True)


class TrueUpSerializer(StrictSerializer):
    """What lifts lines to a commitment."""

    id = serializers.CharField()
    amount = _amount()


class CalculatedTaxSerializer(StrictSerializer):
    """The tax of one rate."""

    rate = _amount("Percent.")
    base = _amount()
    amount = _amount()


class CalculatedSerializer(StrictSerializer):
    """The invoice, priced."""

    lines = CalculatedLineSerializer(many=True)
    true_ups = TrueUpSerializer(many=True)
    subtotal = _amount()
    discount = _amount()
    net = _amount()
    tax = CalculatedTaxSerializer(many=True)
    total = _amount()
    credit_notes_used = _amount()
    prepaid_credits_used = _amount()
    due = _amount()
