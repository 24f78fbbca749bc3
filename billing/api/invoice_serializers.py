"""The JSON of invoices. Amounts are decimal strings in major units of the invoice's currency; nothing here is a float."""

from typing import Any

from rest_framework import serializers

from billing.api.fields import AmountField, AmountTextField, InstantField
from billing.invoicing.rows import InvoiceRows
from billing.models import Invoice, InvoiceLine
from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer


def _exact(help_text: str = "", **options: Any) -> PlainDecimalField:
    return PlainDecimalField(max_digits=60, decimal_places=24, help_text=help_text, **options)


class BreakdownSerializer(StrictSerializer):
    """One row of how a line came to its amount; the amounts add up to `exact_amount`."""

    step = serializers.CharField(help_text="What is priced or adjusted, such as tier or minimum.")
    amount = _exact()
    above = _exact("Exclusive.", required=False)
    up_to = _exact("Inclusive; missing or null = and above.", required=False, allow_null=True)
    quantity = _exact(required=False)
    unit_amount = _exact(required=False)
    flat_amount = _exact(required=False)
    rate = _exact("Percent.", required=False)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """Write the row as it is kept: text already, with only the members that its step has."""
        return instance


class InvoiceLineSerializer(StrictSerializer):
    """One line. Its amount is its exact amount rounded once."""

    position = serializers.IntegerField()
    group = serializers.ChoiceField(choices=InvoiceLine.Group.choices)
    charge = serializers.CharField(source="charge_code", help_text=":minimum-commitment for the difference to the commitment.")
    description = serializers.CharField()
    detail = serializers.CharField(help_text="Why, where the description does not say it all; may be empty.")
    meter = serializers.CharField(source="meter_code", help_text="Empty for a fee.")
    unit = serializers.CharField()
    first_day = serializers.DateField()
    last_day = serializers.DateField(help_text="Included.")
    quantity = PlainDecimalField(max_digits=38, decimal_places=12)
    unit_amount = PlainDecimalField(max_digits=38, decimal_places=12, allow_null=True, help_text="null where tiers have several.")
    exact_amount = _exact("Unrounded.")
    amount = AmountField("amount_minor", holder="invoice")
    tax_rate = PlainDecimalField(source="tax_rate_pct", max_digits=7, decimal_places=4, help_text="Percent.")
    breakdown = BreakdownSerializer(many=True)


class InvoiceTaxSerializer(StrictSerializer):
    """The tax of one rate."""

    rate = PlainDecimalField(source="rate_pct", max_digits=7, decimal_places=4, help_text="Percent.")
    base = AmountField("base_minor", holder="invoice")
    amount = AmountField("amount_minor", holder="invoice")


class PaymentSerializer(StrictSerializer):
    """Money received. Reads rows with their invoice loaded."""

    reference = serializers.CharField()
    amount = AmountField("amount_minor", holder="invoice")
    received_on = serializers.DateField()
    method = serializers.CharField()
    recorded_at = serializers.DateTimeField()


class RecordPaymentSerializer(StrictSerializer):
    """Money received, to be recorded."""

    amount = AmountTextField(help_text="In major units, at most what is left to pay.")
    received_on = serializers.DateField()
    reference = StrictCharField(max_length=140, help_text="What the bank calls it: the same reference is one payment.")


class VoidInvoiceSerializer(StrictSerializer):
    """Why an invoice is voided."""

    reason = StrictCharField(max_length=500, help_text="Kept with the invoice.")


class TotalsSerializer(StrictSerializer):
    """What an invoice adds up to: subtotal - discount + tax_total = total, and total - credits = due."""

    currency = serializers.CharField()
    first_day = serializers.DateField(help_text="Of what is billed.")
    last_day = serializers.DateField(help_text="Included.")
    issued_on = serializers.DateField()
    due_on = serializers.DateField()
    subtotal = AmountField("subtotal_minor")
    discount = AmountField("discount_minor")
    tax_total = AmountField("tax_minor")
    total = AmountField("total_minor")
    credits = AmountField("credits_minor")
    due = AmountField("due_minor")


class InvoiceSummarySerializer(TotalsSerializer):
    """An invoice in a list. Reads rows that are annotated with `overdue`, with customer and subscription loaded."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField(allow_null=True, help_text="null on a draft.")
    kind = serializers.ChoiceField(choices=Invoice.Kind.choices)
    status = serializers.ChoiceField(choices=Invoice.Status.choices, help_text="finalized = open, waiting for its money.")
    overdue = serializers.BooleanField(help_text="Open, not fully paid, and its due date is past where the customer is.")
    customer = serializers.CharField(source="customer.external_id")
    subscription = serializers.CharField(source="subscription.external_id")
    paid = AmountField("paid_minor")
    finalized_at = InstantField(allow_null=True)
    sent_at = InstantField(allow_null=True)
    voided_at = InstantField(allow_null=True)
    void_reason = serializers.CharField()


class InvoiceSerializer(InvoiceSummarySerializer):
    """An invoice with everything that it says. Reads rows with lines, taxes, payments and document loaded."""

    lines = InvoiceLineSerializer(many=True)
    tax = InvoiceTaxSerializer(source="taxes", many=True)
    payments = PaymentSerializer(many=True)
    pdf_sha256 = serializers.CharField(
        source="document.sha256", default=None, allow_null=True, help_text="Hex, of the PDF's bytes; null until it is rendered."
    )


class UpcomingInvoiceSerializer(TotalsSerializer):
    """What a subscription will be billed at the end of the running period, by the usage so far."""

    subscription = serializers.CharField(source="subscription.external_id")
    lines = InvoiceLineSerializer(many=True)
    tax = InvoiceTaxSerializer(many=True)

    def to_representation(self, instance: InvoiceRows) -> dict[str, Any]:
        """Write the unsaved rows of a preview."""
        return {
            **TotalsSerializer(instance.invoice).data,
            "subscription": instance.invoice.subscription.external_id,
            "lines": InvoiceLineSerializer(instance.lines, many=True).data,
            "tax": InvoiceTaxSerializer(instance.taxes, many=True).data,
        }


class UpcomingSerializer(StrictSerializer):
    """The spend so far of a customer, by subscription."""

    customer = serializers.CharField(help_text="The external id.")
    currency = serializers.CharField()
    as_of = serializers.DateTimeField()
    total = serializers.CharField(help_text="The sum of the totals below.")
    invoices = UpcomingInvoiceSerializer(many=True)
