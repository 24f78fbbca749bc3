"""The JSON of coupons and credits. Amounts are decimal strings in major units."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from billing.api.fields import AmountField, AmountTextField, InstantField, WholeNumberField, amount_text
from billing.models import Coupon, Credit, CreditEntry
from billing.reductions.ledger import CreditState
from billing.reductions.redeeming import HeldState
from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer

_GRANTED = (Credit.Kind.PROMOTIONAL, Credit.Kind.PAID)


class _Codes(serializers.ListField):
    child = StrictCharField(max_length=64)


class CouponSerializer(StrictSerializer):
    """A coupon: a percentage, or an amount in one currency, off the lines it applies to."""

    code = StrictCharField(max_length=64, help_text="How it is named, for good.")
    name = StrictCharField(max_length=255, help_text="Printed on invoices.")
    percent = PlainDecimalField(
        max_digits=7, decimal_places=4, required=False, allow_null=True, help_text="Above 0 up to 100; null with an amount."
    )
    amount = AmountTextField(
        required=False, allow_null=True, help_text="Off every invoice it lasts for, in major units; null with a percentage."
    )
    currency = StrictCharField(max_length=3, required=False, allow_null=True, help_text="Of the amount; null with a percentage.")
    duration = serializers.ChoiceField(
        choices=Coupon.Duration.choices, required=False, help_text="once (if left out), for a number of periods, or forever."
    )
    period_count = WholeNumberField(
        required=False, allow_null=True, help_text="For how many invoices of a customer it lasts, over all subscriptions."
    )
    plans = _Codes(
        source="plan_codes", required=False, help_text="Codes of the plans and add-ons whose lines it reduces; empty: all."
    )
    charges = _Codes(
        source="charge_codes",
        required=False,
        help_text="Codes of the charges whose lines it reduces, an add-on's without the add-on before it; empty: all.",
    )
    max_redemptions = WholeNumberField(
        required=False, allow_null=True, help_text="How often it can be redeemed; null: any number."
    )
    redeem_until = InstantField(required=False, allow_null=True, help_text="Exclusive; null: for ever.")
    redemptions = serializers.IntegerField(source="redemption_count", read_only=True, help_text="How often it was redeemed.")
    archived_at = InstantField(read_only=True, allow_null=True, help_text="From when on it cannot be redeemed.")
    created_at = InstantField(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Write a coupon that is annotated with `redemption_count`."""
        members: dict[str, Any] = super().to_representation(_Shown(instance))
        return members


class _Shown:
    """A coupon with its amount in major units; empty texts that mean "none" are null."""

    def __init__(self, coupon: Any) -> None:
        self._coupon = coupon

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coupon, name)

    @property
    def amount(self) -> Decimal | None:
        coupon = self._coupon
        return None if coupon.amount_minor is None else Decimal(amount_text(coupon.amount_minor, coupon.currency))

    @property
    def currency(self) -> str | None:
        return self._coupon.currency or None


class RedeemCouponSerializer(StrictSerializer):
    """A coupon to be given to a customer."""

    coupon = StrictCharField(max_length=64, help_text="Its code.")
    subscription = StrictCharField(
        max_length=255, required=False, allow_null=True, help_text="External id: only this one; left out: all that is billed."
    )


class HeldCouponSerializer(StrictSerializer):
    """A coupon that a customer has or had."""

    coupon = serializers.CharField(source="redemption.coupon.code")
    name = serializers.CharField(source="redemption.coupon.name")
    subscription = serializers.CharField(
        source="redemption.subscription.external_id", default=None, allow_null=True, help_text="null: all that is billed."
    )
    state = serializers.ChoiceField(choices=HeldState.choices)
    uses = serializers.IntegerField(help_text="Invoices that it reduces, drafts too; void ones do not count.")
    uses_left = serializers.IntegerField(allow_null=True, help_text="null: any number.")
    redeemed_at = InstantField(source="redemption.redeemed_at")
    ended_at = InstantField(source="redemption.ended_at", allow_null=True, help_text="When it was taken away.")


class GrantCreditSerializer(StrictSerializer):
    """A credit to be granted."""

    reference = StrictCharField(max_length=140, help_text="Makes it safe to repeat: the same reference is one credit.")
    kind = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in _GRANTED])
    name = StrictCharField(max_length=255, help_text="Printed on invoices.")
    amount = AmountTextField(help_text="In major units.")
    currency = StrictCharField(max_length=3, required=False, help_text="The customer's if left out.")
    cost_basis = AmountTextField(required=False, allow_null=True, help_text="What was paid for it; prepaid credits only.")
    priority = WholeNumberField(required=False, help_text="The lowest number pays first; 100 if left out.")
    expires_at = InstantField(required=False, allow_null=True, help_text="Exclusive; null: never.")


class CreditSerializer(StrictSerializer):
    """Money in a customer's favour."""

    reference = serializers.CharField(help_text="The number of the credit note, for one that was kept of it.")
    kind = serializers.ChoiceField(choices=Credit.Kind.choices)
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=CreditState.choices)
    currency = serializers.CharField()
    amount = AmountField("amount_minor")
    left = AmountField("left_minor", help_text="The sum of its entries.")
    cost_basis = AmountField("cost_basis_minor")
    priority = serializers.IntegerField()
    granted_at = InstantField()
    expires_at = InstantField(allow_null=True)
    voided_at = InstantField(allow_null=True)


class UndoCreditSerializer(StrictSerializer):
    """Why a credit is taken back or paid out."""

    reason = StrictCharField(max_length=500, required=False, allow_blank=True, help_text="Kept on the audit trail.")


class CreditEntrySerializer(StrictSerializer):
    """One movement of a credit: what comes in is positive, what goes out negative."""

    id = serializers.IntegerField()
    credit = serializers.CharField(source="credit.reference")
    kind = serializers.ChoiceField(choices=CreditEntry.Kind.choices)
    currency = serializers.CharField(source="credit.currency")
    amount = AmountField("amount_minor", holder="credit")
    balance = AmountField("balance_minor", holder="credit", help_text="What the customer had in the currency after it.")
    invoice = serializers.CharField(
        source="invoice.number", default=None, allow_null=True, help_text="That used it, or whose voiding gave it back."
    )
    recorded_at = InstantField()
    recorded_by = serializers.CharField()
