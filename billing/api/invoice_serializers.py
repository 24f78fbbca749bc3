"""The JSON of invoices. Amounts are decimal strings in major units of the invoice's currency; nothing here is a float."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.fields import (
    AmountField,
    InstantField,
    PriceTextField,
    QuantityTextField,
    WholeNumberField,
    amount_text,
)
from billing.api.payment_serializers import PaymentSerializer
from billing.invoicing.estimating import estimate_credits
from billing.invoicing.items import kept_items
from billing.invoicing.rows import InvoiceRows
from billing.invoicing.snapshot import from_json
from billing.models import Credit, Invoice, InvoiceDiscount, InvoiceLine
from billing.reductions.credits import CreditTaken
from squill.lib import clock
from squill.lib.decimals import plain
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
    tax_category = serializers.CharField(help_text="As in `tax`.")
    tax_rate = PlainDecimalField(source="tax_rate_pct", max_digits=7, decimal_places=4, help_text="Percent.")
    breakdown = BreakdownSerializer(many=True)


class InvoiceTaxSerializer(StrictSerializer):
    """The tax of one category and rate."""

    category = serializers.CharField(
        help_text="UNCL 5305: S taxed, Z zero rate, E exempt, AE reverse charge, G export, O outside."
    )
    label = serializers.CharField(help_text="The word for the tax as printed; may be empty.")  # type: ignore[assignment] # a member
    rate = PlainDecimalField(source="rate_pct", max_digits=7, decimal_places=4, help_text="Percent.")
    exemption_code = serializers.CharField(help_text="VATEX code of why nothing is due; empty where tax is.")
    note = serializers.CharField(help_text="What the law wants printed, in the customer's language; may be empty.")
    base = AmountField("base_minor", holder="invoice")
    amount = AmountField("amount_minor", holder="invoice")


class InvoiceDiscountSerializer(StrictSerializer):
    """What one coupon takes off, in the order in which they are taken."""

    code = serializers.CharField(help_text="The coupon's.")
    label = serializers.CharField(help_text="Its name as printed.")  # type: ignore[assignment] # a member, not the field's own
    percent = serializers.CharField(allow_null=True, help_text="Decimal string; null where the coupon is of an amount.")
    amount = serializers.CharField(help_text="Decimal string.")


class CreditUsedSerializer(StrictSerializer):
    """What one credit pays of the invoice, in the order in which they are used; an estimate until it is final."""

    kind = serializers.ChoiceField(choices=Credit.Kind.choices)
    name = serializers.CharField()
    amount = serializers.CharField(help_text="Decimal string.")


class ReasonSerializer(StrictSerializer):
    """Why something is done to an invoice."""

    reason = StrictCharField(max_length=500, help_text="Kept on the trail.")


class VoidInvoiceSerializer(StrictSerializer):
    """Why an invoice is voided."""

    reason = StrictCharField(max_length=500, help_text="Kept with the invoice.")
    reissue = serializers.BooleanField(
        default=False,
        help_text="true: draft a corrected invoice of the same periods, or items, at once; `replaced_by` is its id.",
    )


class OneOffItemSerializer(StrictSerializer):
    """One item of a one-off invoice: quantity times price is rounded once."""

    description = StrictCharField(max_length=255)
    quantity = QuantityTextField(help_text="Above zero.")
    unit_amount = PriceTextField(help_text="The exact price of one in major units; below zero for a reduction.")
    unit = StrictCharField(max_length=32, default="", allow_blank=True)
    tax_class = StrictCharField(max_length=32, default="standard", help_text="What is sold, for the rules of tax.")
    tax_rate = QuantityTextField(
        default=None, allow_null=True, help_text="Percent, in the place of what the rules say; null: as the rules say."
    )
    first_day = serializers.DateField(default=None, allow_null=True, help_text="null: the day on which it is issued.")
    last_day = serializers.DateField(default=None, allow_null=True, help_text="Included.")


class OneOffItemsSerializer(StrictSerializer):
    """What a one-off invoice says besides whom it is for."""

    items = OneOffItemSerializer(many=True)
    payment_terms_days = WholeNumberField(
        default=None, allow_null=True, min_value=0, max_value=365, help_text="null: the customer's own."
    )
    note = StrictCharField(max_length=500, default="", allow_blank=True, help_text="Printed on the invoice.")


class OneOffSerializer(OneOffItemsSerializer):
    """A one-off invoice, to be drafted."""

    customer = StrictCharField(help_text="The external id.")
    currency = StrictCharField(default=None, allow_null=True, max_length=3, help_text="That of the customer, the default.")


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
    subscription = serializers.CharField(
        source="subscription.external_id", default=None, allow_null=True, help_text="null on a one-off invoice."
    )
    paid = AmountField("paid_minor")
    credited = AmountField("credited_minor", help_text="What credit notes took off what was left to pay.")
    left = serializers.SerializerMethodField(help_text="What is left to pay; 0 on a draft and on a void invoice.")
    finalized_at = InstantField(allow_null=True)
    sent_at = InstantField(allow_null=True)
    voided_at = InstantField(allow_null=True)
    void_reason = serializers.CharField()

    @extend_schema_field({"type": "string", "format": "decimal", "example": "12.5", "readOnly": True})
    def get_left(self, invoice: Invoice) -> str:
        """Write what is left to pay."""
        is_owed = invoice.status not in (Invoice.Status.DRAFT, Invoice.Status.VOID)
        return amount_text(invoice.left_minor if is_owed else 0, invoice.currency)


class InvoiceSerializer(InvoiceSummarySerializer):
    """An invoice with everything that it says. Reads rows with all that `whole_invoices` loads."""

    lines = InvoiceLineSerializer(many=True)
    discounts = serializers.SerializerMethodField(help_text="What coupons take off, in order.")
    tax = InvoiceTaxSerializer(source="taxes", many=True)
    credits_used = CreditUsedSerializer(many=True)
    payments = serializers.SerializerMethodField(help_text="Those that paid some of it, reversed ones too.")
    credit_notes = serializers.SerializerMethodField(help_text="The numbers of the credit notes that correct it, oldest first.")
    note = serializers.SerializerMethodField(help_text="Printed on the invoice; one-off invoices have it.")
    replaces = serializers.SerializerMethodField(help_text="The number of the void invoice that this one bills anew, or null.")
    replaced_by = serializers.SerializerMethodField(
        help_text="The number of the invoice that bills this void one anew, the id while it is a draft, or null."
    )
    pdf_sha256 = serializers.CharField(
        source="document.sha256", default=None, allow_null=True, help_text="Hex, of the PDF's bytes; null until it is rendered."
    )

    @extend_schema_field(InvoiceDiscountSerializer(many=True))
    def get_discounts(self, invoice: Invoice) -> list[dict[str, Any]]:
        """Write what each coupon takes off; the rows of a final invoice are as frozen as its snapshot."""
        return _discounts(invoice.discounts.all(), invoice.currency)

    def to_representation(self, instance: Invoice) -> dict[str, Any]:
        """Write the credits that a final invoice was frozen with; of a draft what is due follows from those left now."""
        if instance.status == Invoice.Status.DRAFT:
            instance, taken = estimate_credits(instance, at=clock.now())
            used = _credits_used(taken, instance.currency)
        else:
            said = from_json(instance.snapshot)
            used = [_credit_used(one.kind, one.label, one.amount_minor, said.currency) for one in said.credits]
        instance.credits_used = used  # type: ignore[attr-defined] # for the field of this name
        members: dict[str, Any] = super().to_representation(instance)
        return members

    def get_credit_notes(self, invoice: Invoice) -> list[str]:
        """Write their numbers."""
        return [note.number for note in invoice.credit_notes.all()]

    @extend_schema_field(PaymentSerializer(many=True))
    def get_payments(self, invoice: Invoice) -> Any:
        """Write each payment once, in the order in which they paid."""
        payments = {allocation.payment_id: allocation.payment for allocation in invoice.allocations.all()}
        return PaymentSerializer(payments.values(), many=True).data

    def get_note(self, invoice: Invoice) -> str:
        """Return what is printed below the totals."""
        if invoice.kind != Invoice.Kind.ONE_OFF:
            return ""
        is_draft = invoice.status == Invoice.Status.DRAFT
        return kept_items(invoice).note if is_draft else "\n".join(invoice.snapshot.get("notes", ()))

    def get_replaces(self, invoice: Invoice) -> str | None:
        """Return the number of the void invoice before this one."""
        return invoice.replaces.number if invoice.replaces else None

    def get_replaced_by(self, invoice: Invoice) -> str | None:
        """Return the name of the newest invoice in the place of this one."""
        after = max(invoice.replaced_by.all(), key=lambda one: one.pk, default=None)
        return None if after is None else after.number or str(after.public_id)


class UpcomingInvoiceSerializer(TotalsSerializer):
    """What a subscription will be billed at the end of the running period, by the usage so far."""

    subscription = serializers.CharField(source="subscription.external_id")
    lines = InvoiceLineSerializer(many=True)
    discounts = InvoiceDiscountSerializer(many=True)
    tax = InvoiceTaxSerializer(many=True)
    credits_used = CreditUsedSerializer(many=True)

    def to_representation(self, instance: InvoiceRows) -> dict[str, Any]:
        """Write the unsaved rows of a preview."""
        return {
            **TotalsSerializer(instance.invoice).data,
            "subscription": instance.invoice.subscription and instance.invoice.subscription.external_id,
            "lines": InvoiceLineSerializer(instance.lines, many=True).data,
            "discounts": _discounts(instance.discounts, instance.invoice.currency),
            "tax": InvoiceTaxSerializer(instance.taxes, many=True).data,
            "credits_used": _credits_used(instance.credits, instance.invoice.currency),
        }


class UpcomingSerializer(StrictSerializer):
    """The spend so far of a customer, by subscription."""

    customer = serializers.CharField(help_text="The external id.")
    currency = serializers.CharField()
    as_of = serializers.DateTimeField()
    total = serializers.CharField(help_text="The sum of the totals below.")
    invoices = UpcomingInvoiceSerializer(many=True)


def _discounts(rows: Iterable[InvoiceDiscount], currency: str) -> list[dict[str, Any]]:
    return [_discount(row.redemption.coupon.code, row.label, row.percent, row.amount_minor, currency) for row in rows]


def _discount(code: str, label: str, percent: Decimal | None, amount_minor: int, currency: str) -> dict[str, Any]:
    rate = None if percent is None else plain(percent)
    return {"code": code, "label": label, "percent": rate, "amount": amount_text(amount_minor, currency)}


def _credits_used(credits: Iterable[CreditTaken], currency: str) -> list[dict[str, Any]]:
    return [_credit_used(taken.credit.kind, taken.credit.label, taken.amount_minor, currency) for taken in credits]


def _credit_used(kind: str, name: str, amount_minor: int, currency: str) -> dict[str, Any]:
    return {"kind": kind, "name": name, "amount": amount_text(amount_minor, currency)}
