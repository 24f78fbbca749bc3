"""The JSON of subscriptions, of what is decided about them, and of their billing periods."""

from datetime import date, timedelta
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.fields import InstantField, QuantityTextField, WhenField, WholeNumberField, amount_text
from billing.api.invoice_serializers import UpcomingInvoiceSerializer
from billing.invoicing.composing import ComposedInvoice
from billing.invoicing.preview import ChangePreview
from billing.invoicing.rows import invoice_rows
from billing.models import BillingPeriod, SubscriptionChange
from billing.subscriptions.standing import ChangeState, State, ToldChange
from squill.web.serializers import StrictCharField, StrictSerializer

_WHEN = "`now`, `period_end`, or an instant: the local day of the customer that contains it is the first that it holds for."
# OpenAPI 3.0 cannot say that a reference may be null.
_INVOICE_OR_NULL: Final = {"oneOf": [{"$ref": "#/components/schemas/UpcomingInvoice"}, {"enum": [None]}]}
_Kind = SubscriptionChange.Kind


class HeldAddOnSerializer(StrictSerializer):
    """An add-on that the subscription has."""

    code = serializers.CharField(help_text="Its name in the subscription.")
    add_on = serializers.CharField(source="version.plan.code", help_text="The code of the add-on.")
    quantity = QuantityTextField()


class SubscriptionChangeSerializer(StrictSerializer):
    """Something that was decided about a subscription. Reads told changes with version and plan loaded."""

    id = serializers.IntegerField(source="change.pk")
    kind = serializers.ChoiceField(source="change.kind", choices=_Kind.choices)
    effective_on = serializers.DateField(source="change.effective_on", help_text="The first local day that it holds for.")
    plan = serializers.SerializerMethodField(help_text="start and plan: the code of the plan from then on.")
    version = serializers.SerializerMethodField(help_text="The version of the plan, or of the add-on.")
    charge = serializers.SerializerMethodField(help_text="quantity: the code of the fee.")
    add_on = serializers.SerializerMethodField(help_text="add_on: the code of the add-on.")
    code = serializers.SerializerMethodField(help_text="add_on: its name in the subscription.")
    quantity = QuantityTextField(
        source="change.quantity", allow_null=True, help_text="How many from then on; 0 takes an add-on off."
    )
    trial_ends_on = serializers.DateField(source="change.trial_ends_on", allow_null=True, help_text="The first day after it.")
    actor = serializers.CharField(source="change.actor_label", help_text="Who decided it: a person, a key, or a command.")
    recorded_at = serializers.DateTimeField(source="change.recorded_at")
    undone_at = serializers.DateTimeField(source="change.undone_at", allow_null=True)
    state = serializers.ChoiceField(choices=ChangeState.choices, help_text="without effect: the subscription ends before.")

    def get_plan(self, told: ToldChange) -> str | None:
        """Return the plan's code."""
        version = told.change.plan_version
        return version.plan.code if version is not None and told.change.kind != _Kind.ADD_ON else None

    def get_version(self, told: ToldChange) -> int | None:
        """Return the number of the version."""
        version = told.change.plan_version
        return version.version if version is not None else None

    def get_charge(self, told: ToldChange) -> str | None:
        """Return the fee's code."""
        return told.change.charge_code or None

    def get_add_on(self, told: ToldChange) -> str | None:
        """Return the add-on's code."""
        version = told.change.plan_version
        return version.plan.code if version is not None and told.change.kind == _Kind.ADD_ON else None

    def get_code(self, told: ToldChange) -> str | None:
        """Return what the add-on is called in the subscription."""
        return told.change.add_on_code or None


class SubscriptionSerializer(StrictSerializer):
    """A customer on a version of a plan, as it stands now. Reads standings."""

    external_id = serializers.CharField(source="subscription.external_id")
    customer = serializers.CharField(source="subscription.customer.external_id", help_text="The customer's external id.")
    plan = serializers.CharField(source="version.plan.code", help_text="The plan's code.")
    plan_version = serializers.IntegerField(source="version.version", help_text="The version that prices it.")
    state = serializers.ChoiceField(choices=State.choices, help_text="planned: it has not begun.")
    active = serializers.BooleanField(source="is_active", help_text="It has begun and has not ended; it may be paused.")
    started_on = serializers.DateField(source="subscription.started_on", help_text="The first day, in the customer's time zone.")
    ended_on = serializers.DateField(
        source="subscription.ended_on", allow_null=True, help_text="The first day that is no longer part of it; null = open."
    )
    starts_at = serializers.DateTimeField(
        source="subscription.starts_at", help_text="Midnight of the first day, in the customer's time zone."
    )
    ends_at = serializers.DateTimeField(source="subscription.ends_at", allow_null=True, help_text="Exclusive.")
    trial_ends_on = serializers.DateField(allow_null=True, help_text="The first day after the trial; null = none.")
    quantities = serializers.DictField(
        child=QuantityTextField(), help_text="How many it has of each fee by quantity of its plan, by the fee's code."
    )
    add_ons = HeldAddOnSerializer(many=True)
    planned = SubscriptionChangeSerializer(many=True, help_text="What is decided for later days, and can be undone.")
    created_at = serializers.DateTimeField(source="subscription.created_at")


class ChangePreviewSerializer(StrictSerializer):
    """The next invoice of a subscription, without a change and with it. Reads previews, and the instant from the context."""

    before = serializers.SerializerMethodField(help_text="Without the change; null: no invoice is to come.")
    after = serializers.SerializerMethodField(help_text="With it; null: no invoice is to come.")
    difference = serializers.SerializerMethodField(
        help_text="What the change adds, before tax, to all that is due up to `compared_until`; major units."
    )

    compared_until = serializers.DateTimeField(
        help_text="The end of the running period; fees in advance that are due then are in it."
    )

    @extend_schema_field(_INVOICE_OR_NULL)
    def get_before(self, preview: ChangePreview) -> dict[str, Any] | None:
        """Return the invoice as it is without the change."""
        return self._invoice(preview.before)

    @extend_schema_field(_INVOICE_OR_NULL)
    def get_after(self, preview: ChangePreview) -> dict[str, Any] | None:
        """Return the invoice as it is with the change."""
        return self._invoice(preview.after)

    @extend_schema_field({"type": "string", "format": "decimal", "example": "12.34"})
    def get_difference(self, preview: ChangePreview) -> str:
        """Return the difference of what is due."""
        some = preview.before or preview.after
        return amount_text(preview.difference_minor, some.totals.currency) if some is not None else "0"

    def _invoice(self, invoice: ComposedInvoice | None) -> dict[str, Any] | None:
        if invoice is None:
            return None
        return dict(UpcomingInvoiceSerializer(invoice_rows(invoice, now=self.context["now"])).data)


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
    trial_days = WholeNumberField(
        required=False, allow_null=True, help_text="0 = no trial; those of the plan if null or left out. At most 730."
    )
    quantities = serializers.DictField(
        child=QuantityTextField(), required=False, help_text="By the code of a fee by quantity; the plan's where left out."
    )


class ChangePlanSerializer(StrictSerializer):
    """The plan that a subscription is to be on."""

    plan = StrictCharField(
        max_length=64, trim_whitespace=False, help_text="The code of a published plan; its own for a newer version."
    )
    when = WhenField("now", "period_end", help_text=_WHEN)
    quantities = serializers.DictField(
        child=QuantityTextField(), required=False, help_text="By the code of a fee by quantity; others go on as they are."
    )


class ChangeQuantitySerializer(StrictSerializer):
    """How many of a fee by quantity a subscription is to have."""

    charge = StrictCharField(max_length=64, trim_whitespace=False, help_text="The code of the fee.")
    quantity = QuantityTextField()
    when = WhenField("now", "period_end", help_text=_WHEN)


class PutAddOnSerializer(StrictSerializer):
    """How many of an add-on a subscription is to have."""

    add_on = StrictCharField(max_length=64, trim_whitespace=False, help_text="The code of a published add-on.")
    quantity = QuantityTextField(required=False, help_text="1 if left out; 0 takes it off.")
    when = WhenField("now", "period_end", help_text=_WHEN)
    code = StrictCharField(
        max_length=100,
        required=False,
        trim_whitespace=False,
        help_text="Its name in the subscription, the add-on's code if left out. Another name puts the same add-on on again.",
    )


class MomentSerializer(StrictSerializer):
    """When a change is to hold."""

    when = WhenField("now", "period_end", help_text=_WHEN)


class EndSubscriptionSerializer(StrictSerializer):
    """When a subscription is to end."""

    ends_at = WhenField(
        "period_end",
        help_text="`period_end`, or an instant: the local day that contains it is no longer part of the subscription.",
    )


class BillingPeriodSerializer(StrictSerializer):
    """A stored period, billed in two parts. Reads rows with plan, version and both invoices loaded."""

    index = serializers.IntegerField(help_text="0 is the first.")
    kind = serializers.ChoiceField(
        choices=BillingPeriod.Kind.choices, help_text="Nothing is charged for what is used in a trial or while paused."
    )
    plan = serializers.CharField(source="plan_version.plan.code", help_text="The plan that prices it.")
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
