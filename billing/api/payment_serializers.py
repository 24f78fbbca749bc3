"""The JSON of payments and balances. Amounts are decimal strings in major units of their currency."""

from typing import Any

from rest_framework import serializers

from billing.api.fields import AmountField, AmountTextField, InstantField
from billing.invoicing.paying.matching import MAX_TEXT
from squill.web.serializers import StrictCharField, StrictSerializer

_METHOD_HELP = "Such as bank_transfer, direct_debit or card; any word of yours."
_MOST_INVOICES = 500


class PaymentAllocationSerializer(StrictSerializer):
    """What a payment pays of an invoice. Reads rows with their invoice loaded."""

    invoice = serializers.CharField(source="invoice.number")
    amount = AmountField("amount_minor", holder="invoice", help_text="Negative where a reversal takes it back.")
    recorded_at = InstantField()


class PaymentSerializer(StrictSerializer):
    """Money received. Reads rows with customer, invoice and allocations loaded."""

    id = serializers.UUIDField(source="public_id")
    customer = serializers.CharField(source="customer.external_id")
    invoice = serializers.CharField(
        source="invoice.number", default=None, allow_null=True, help_text="That it was recorded for; null: for the customer."
    )
    currency = serializers.CharField()
    amount = AmountField("amount_minor")
    left = AmountField("left_minor", help_text="What no invoice has taken: it pays the customer's next ones. 0 once reversed.")
    received_on = serializers.DateField()
    method = serializers.CharField()
    reference = serializers.CharField()
    recorded_at = InstantField()
    allocations = PaymentAllocationSerializer(many=True)
    reversed = serializers.SerializerMethodField()
    reversed_at = InstantField(allow_null=True)
    reversal_reason = serializers.CharField()

    def get_reversed(self, payment: Any) -> bool:
        """Say whether it was taken back."""
        return payment.reversed_at is not None


class RecordPaymentSerializer(StrictSerializer):
    """Money received for an invoice, to be recorded."""

    amount = AmountTextField(help_text="In major units. What is more than the invoice needs pays the customer's next ones.")
    currency = StrictCharField(max_length=3, required=False, help_text="If you send it, it must be that of the invoice.")
    received_on = serializers.DateField(help_text="Not after today, where the customer or the seller is.")
    method = StrictCharField(max_length=32, default="bank_transfer", help_text=_METHOD_HELP)
    reference = StrictCharField(max_length=140, help_text="What the bank calls it: the same reference is one payment.")


class RecordCustomerPaymentSerializer(RecordPaymentSerializer):
    """Money received of a customer, to be recorded."""

    amount = AmountTextField(help_text="In major units. What is more than the invoices need pays the customer's next ones.")
    currency = StrictCharField(max_length=3, required=False, help_text="That of the customer if you leave it out.")
    invoices = serializers.ListField(
        child=StrictCharField(max_length=64),
        required=False,
        max_length=_MOST_INVOICES,
        help_text=(
            "The numbers of the invoices that it pays, in this order. Left out: those that reference and remittance name, "
            "or else all that are open, what is due first first. Empty: none, all of it stays with the customer."
        ),
    )
    remittance = StrictCharField(
        max_length=MAX_TEXT,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="What the payer wrote on the transfer: searched for numbers of invoices, and not kept.",
    )


class ReversePaymentSerializer(StrictSerializer):
    """Why a payment is reversed."""

    reason = StrictCharField(max_length=500, help_text="Kept with the payment.")


class BalanceSerializer(StrictSerializer):
    """What a customer has with us in one currency."""

    currency = serializers.CharField()
    payments = AmountField("payments_minor", help_text="Left over of payments.")
    credits = AmountField("credits_minor", help_text="Left of credits that can be used.")
    owed = AmountField("owed_minor", help_text="Left to pay of open invoices.")


class CustomerBalanceSerializer(StrictSerializer):
    """A customer's balances by currency; none where there is nothing."""

    customer = serializers.CharField(help_text="The external id.")
    as_of = InstantField()
    balances = BalanceSerializer(many=True)
