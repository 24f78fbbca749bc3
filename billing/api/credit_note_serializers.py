"""The JSON of credit notes. Amounts are positive decimal strings in major units: what is credited."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from billing.api.fields import AmountField, AmountTextField, InstantField, WholeNumberField
from billing.invoicing.crediting.rows import CreditNoteRows
from billing.models import CreditNote
from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer


class CreditNoteLineSerializer(StrictSerializer):
    """What is credited of a line of the invoice: amount - discount = net, before tax."""

    position = serializers.IntegerField()
    invoice_line = serializers.IntegerField(source="invoice_line.position", help_text="The position of the invoice's line.")
    charge = serializers.CharField(source="invoice_line.charge_code")
    description = serializers.CharField()
    detail = serializers.CharField(help_text="May be empty.")
    first_day = serializers.DateField(source="invoice_line.first_day")
    last_day = serializers.DateField(source="invoice_line.last_day", help_text="Included.")
    quantity = PlainDecimalField(
        max_digits=38, decimal_places=12, help_text="Of a correction: how much less counts as billed. 1 for an amount."
    )
    exact_amount = PlainDecimalField(max_digits=60, decimal_places=24, help_text="Unrounded.")
    amount = AmountField("amount_minor", holder="credit_note", help_text="Before discounts.")
    discount = AmountField("discount_minor", holder="credit_note", help_text="The discount that goes back with it.")
    net = AmountField("net_minor", holder="credit_note", help_text="Before tax.")
    tax_category = serializers.CharField(source="invoice_line.tax_category", help_text="As in `tax`.")
    tax_rate = PlainDecimalField(source="invoice_line.tax_rate_pct", max_digits=7, decimal_places=4, help_text="Percent.")


class CreditNoteTaxSerializer(StrictSerializer):
    """The tax of one category and rate that goes back."""

    category = serializers.CharField(help_text="As on the invoice.")
    label = serializers.CharField(help_text="The word for the tax as printed; may be empty.")  # type: ignore[assignment] # a member
    rate = PlainDecimalField(source="rate_pct", max_digits=7, decimal_places=4, help_text="Percent.")
    exemption_code = serializers.CharField(help_text="VATEX code of why nothing was due; empty where tax was.")
    note = serializers.CharField(help_text="What the law wants printed, in the customer's language; may be empty.")
    base = AmountField("base_minor", holder="credit_note")
    amount = AmountField("amount_minor", holder="credit_note")


class SettlementSerializer(StrictSerializer):
    """What becomes of the total: the three amounts add up to it."""

    to_invoice = AmountField("to_invoice_minor", help_text="Taken off what is left to pay of the invoice.")
    to_balance = AmountField("to_balance_minor", help_text="Kept for the customer's next invoices.")
    to_refund = AmountField("to_refund_minor", help_text="Paid back.")


class CreditNoteTotalsSerializer(StrictSerializer):
    """What a credit note comes to: subtotal - discount + tax_total = total."""

    invoice = serializers.CharField(source="invoice.number", help_text="The invoice that it corrects.")
    customer = serializers.CharField(source="customer.external_id")
    reason = serializers.ChoiceField(choices=CreditNote.Reason.choices)
    explanation = serializers.CharField(help_text="Printed; may be empty.")
    currency = serializers.CharField()
    issued_on = serializers.DateField(help_text="The seller's day.")
    subtotal = AmountField("subtotal_minor")
    discount = AmountField("discount_minor")
    tax_total = AmountField("tax_minor")
    total = AmountField("total_minor")
    settlement = SettlementSerializer(source="*")


class CreditNoteSummarySerializer(CreditNoteTotalsSerializer):
    """A credit note in a list. Reads rows with customer and invoice loaded."""

    id = serializers.UUIDField(source="public_id")
    number = serializers.CharField()
    reference = serializers.CharField(help_text="What made a repeated request the same credit note.")
    issued_at = InstantField()
    sent_at = InstantField(allow_null=True)
    refunded_at = InstantField(allow_null=True, help_text="When it was marked as paid back.")
    refund_reference = serializers.CharField()


class CreditNoteSerializer(CreditNoteSummarySerializer):
    """A credit note with everything that it says. Reads rows with lines, taxes and document loaded."""

    lines = CreditNoteLineSerializer(many=True)
    tax = CreditNoteTaxSerializer(source="taxes", many=True)
    pdf_sha256 = serializers.CharField(
        source="document.sha256", default=None, allow_null=True, help_text="Hex, of the PDF's bytes; null until it is rendered."
    )


class CreditNotePreviewSerializer(CreditNoteTotalsSerializer):
    """What a credit note would say; it has no number."""

    lines = CreditNoteLineSerializer(many=True)
    tax = CreditNoteTaxSerializer(many=True)

    def to_representation(self, instance: CreditNoteRows) -> dict[str, Any]:
        """Write the unsaved rows of a preview."""
        return {
            **CreditNoteTotalsSerializer(instance.note).data,
            "lines": CreditNoteLineSerializer(instance.lines, many=True).data,
            "tax": CreditNoteTaxSerializer(instance.taxes, many=True).data,
        }


class LineToCreditSerializer(StrictSerializer):
    """A line of the invoice and how much of it is credited."""

    position = WholeNumberField(min_value=1, max_value=2**31 - 1)
    amount = AmountTextField(
        required=False, allow_null=True, help_text="After discounts, before tax; left out or null: all that is left of the line."
    )


class SettlementToMakeSerializer(StrictSerializer):
    """What is to become of the total, by amounts that add up to it; one that is left out is zero."""

    to_invoice = AmountTextField(required=False, help_text="At most what is left to pay.")
    to_balance = AmountTextField(required=False)
    to_refund = AmountTextField(required=False, help_text="At most what has come in.")


class _RestSerializer(StrictSerializer):
    explanation = StrictCharField(max_length=500, required=False, allow_blank=True, default="", help_text="Printed.")
    reference = StrictCharField(max_length=140, help_text="Yours: the same reference is the same credit note.")
    rest = serializers.ChoiceField(
        choices=["balance", "refund"],
        required=False,
        help_text="What becomes of what the invoice does not take: kept for the next invoices (the default), or paid back.",
    )


class CreditInvoiceSerializer(_RestSerializer):
    """An invoice to be credited."""

    reason = serializers.ChoiceField(
        choices=CreditNote.Reason.choices,
        help_text="correction counts as billed less: what usage still asks for is billed again. It takes whole lines.",
    )
    lines = LineToCreditSerializer(
        many=True, required=False, allow_null=True, help_text="Left out or null: all that is left of the invoice."
    )
    settlement = SettlementToMakeSerializer(required=False, allow_null=True, help_text="Instead of `rest`.")

    def validate(self, attrs: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Refuse two ways of settling at once.

        :raises ValidationError: if both are sent
        """
        if attrs.get("settlement") is not None and "rest" in attrs:
            raise serializers.ValidationError({"settlement": _("Send either rest or settlement.")})
        return attrs


class CreditCorrectionsSerializer(_RestSerializer):
    """Differences of settled periods to be credited."""


class NotCreditedSerializer(StrictSerializer):
    """A difference that no credit note takes back, and why."""

    first_day = serializers.DateField(help_text="Of the billing period.")
    charge = serializers.CharField()
    amount = serializers.CharField(help_text="Before discounts and tax.")
    why = serializers.CharField()


class CorrectionsSerializer(StrictSerializer):
    """The credit notes of the differences of a subscription, one for each invoice that billed some of it."""

    credit_notes = CreditNoteSerializer(many=True)
    not_credited = NotCreditedSerializer(many=True)


class CorrectionsPreviewSerializer(StrictSerializer):
    """What the differences of a subscription would become."""

    credit_notes = CreditNotePreviewSerializer(many=True)
    not_credited = NotCreditedSerializer(many=True)


class RefundedSerializer(StrictSerializer):
    """That the money was paid back."""

    reference = StrictCharField(max_length=140, help_text="What the bank calls it.")
