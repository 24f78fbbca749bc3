"""The JSON of subscriptions and their billing periods."""

from datetime import date, timedelta

from rest_framework import serializers

from billing.api.fields import InstantField
from billing.models import BillingPeriod
from squill.web.serializers import StrictCharField, StrictSerializer


class SubscriptionSerializer(StrictSerializer):
    """A customer on a version of a plan. Reads rows that are annotated with `active`."""

    external_id = serializers.CharField()
    customer = serializers.CharField(source="customer.external_id", help_text="The customer's external id.")
    plan = serializers.CharField(source="plan.code", help_text="The plan's code.")
    plan_version = serializers.IntegerField(source="plan_version.version", help_text="The version that prices it.")
    active = serializers.BooleanField(help_text="It has begun and has not ended.")
    started_on = serializers.DateField(help_text="The first day, in the customer's time zone.")
    ended_on = serializers.DateField(allow_null=True, help_text="The first day that is no longer part of it; null = open.")
    starts_at = serializers.DateTimeField(help_text="Midnight of the first day, in the customer's time zone.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Exclusive.")
    created_at = serializers.DateTimeField()


class StartSubscriptionSerializer(StrictSerializer):
    """A subscription to start."""

    customer = StrictCharField(max_length=255, trim_whitespace=False, help_text="The customer's external id.")
    plan = StrictCharField(
        max_length=64, trim_whitespace=False, help_text="The code of a published plan in the customer's currency."
    )
    starts_at = InstantField(help_text="It starts on the local day of the customer that contains this instant.")
    ends_at = InstantField(required=False, allow_null=True, help_text="Exclusive, moved back to the beginning of its local day.")
    external_id = StrictCharField(
        max_length=255, required=False, help_text="How you name it: makes a retry safe. Customer, plan and day if left out."
    )


class EndSubscriptionSerializer(StrictSerializer):
    """When a subscription is to end."""

    ends_at = InstantField(help_text="Exclusive: the local day that contains this instant is no longer part of it.")


class BillingPeriodSerializer(StrictSerializer):
    """A stored period, billed in two parts. Reads rows with version and both invoices loaded."""

    index = serializers.IntegerField(help_text="0 is the first.")
    plan_version = serializers.IntegerField(source="plan_version.version")
    first_day = serializers.DateField()
    last_day = serializers.SerializerMethodField(help_text="Included.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="Exclusive.")
    bills_in_advance = serializers.BooleanField(help_text="The plan has fees that are due at its start.")
    advance_billed_at = serializers.DateTimeField(allow_null=True, help_text="As of when these were billed; null = not (yet).")
    advance_invoice = serializers.UUIDField(
        source="advance_invoice.public_id", default=None, allow_null=True, help_text="The id of the invoice; null = none."
    )
    arrears_billed_at = serializers.DateTimeField(allow_null=True, help_text="As of when the rest was billed; null = not yet.")
    arrears_invoice = serializers.UUIDField(
        source="arrears_invoice.public_id",
        default=None,
        allow_null=True,
        help_text="The id; null where nothing was due.",
    )
    parked_at = serializers.DateTimeField(allow_null=True, help_text="Set where billing failed so often that a person must look.")

    def get_last_day(self, period: BillingPeriod) -> date:
        """Return the last day, inclusive."""
        return period.end_day - timedelta(days=1)
