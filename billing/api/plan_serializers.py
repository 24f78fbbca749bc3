"""
The JSON of plans, which is that of the catalogue file (design of the members: docs/tariffs.md).

A plan that comes in is read by billing.catalog.document.read_plan, as strictly as a file: these serializers describe it.
"""

from typing import Any

from rest_framework import serializers

from billing.models import Charge, Plan, PlanVersion
from billing.pricing.charge_models import MODELS
from squill.web.serializers import PlainDecimalField, StrictCharField, StrictSerializer


def _decimal(help_text: str, *, required: bool = False, allow_null: bool = False) -> PlainDecimalField:
    return PlainDecimalField(max_digits=27, decimal_places=12, required=required, allow_null=allow_null, help_text=help_text)


class TierSerializer(StrictSerializer):
    """A tier, from the bound of the one before (exclusive) to its own (inclusive)."""

    up_to = _decimal("Inclusive; null on the last tier, which is open.", required=True, allow_null=True)
    unit_amount = _decimal("The price of a unit, in major units.")
    flat_amount = _decimal("Charged once when the tier is reached.")
    rate = _decimal("Percent, for graduated_percentage.")


class PriceSerializer(StrictSerializer):
    """What something costs: a model, its numbers, and adjustments that stand beside any model."""

    model = serializers.ChoiceField(choices=[(name, name) for name in MODELS])
    amount = _decimal("flat: the fee.")
    unit_amount = _decimal("per_unit: the price of a unit.")
    tiers = TierSerializer(many=True, required=False)
    package_size = _decimal("package: units in a package.")
    package_amount = _decimal("package: the price of a package.")
    round = serializers.ChoiceField(choices=[("up", "up"), ("down", "down")], required=False)
    free_units = _decimal("Units that cost nothing, off before packaging and tiers.")
    rate = _decimal("percentage: percent of the value.")
    fixed_amount = _decimal("percentage: added to each event.")
    free_events = serializers.IntegerField(required=False, help_text="percentage: events that cost nothing.")
    free_amount = _decimal("percentage: value that costs nothing.")
    per_transaction_min = _decimal("percentage: the least for an event.")
    per_transaction_max = _decimal("percentage: the most for an event.")
    divide_by = _decimal("Units of the meter to a unit that is priced.")
    divide_round = serializers.ChoiceField(choices=[("up", "up"), ("down", "down")], required=False)
    usage_discount = _decimal("Units taken off before the model.")
    percentage_discount = _decimal("Percent off the price.")
    minimum_amount = _decimal("The least that the charge costs.")
    maximum_amount = _decimal("The most that the charge costs.")
    charge_when_unused = serializers.BooleanField(required=False, help_text="false: nothing is due at zero usage.")


class PlanChargeSerializer(PriceSerializer):
    """A price on a meter, a fixed fee, or a fee by quantity (seats), within a plan."""

    code = StrictCharField(max_length=64)
    name = StrictCharField(max_length=255, required=False, help_text="Printed on invoices; the code if left out.")
    meter = StrictCharField(
        max_length=64, required=False, help_text="The code of the meter whose usage is priced. Not in an add-on."
    )
    filter = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="Dimension → value: only such usage; without it, what no other takes.",
    )
    default_quantity = _decimal(
        "Makes a charge without a meter a fee by quantity (seats): how many a subscription has unless it says otherwise."
    )
    billed = serializers.ChoiceField(choices=Charge.Billed.choices, required=False, help_text="in_arrears if left out.")
    tax_class = StrictCharField(
        max_length=32,
        required=False,
        help_text="What is sold: standard (if left out), reduced, zero, exempt, or a class for which rates were entered.",
    )
    tax_rate = PlainDecimalField(
        max_digits=7, decimal_places=4, required=False, help_text="Percent, in place of the rate of the class, 0 to 100."
    )


class PlanTermsSerializer(StrictSerializer):
    """What an offer costs, and how often."""

    interval = serializers.ChoiceField(
        choices=PlanVersion.Interval.choices, required=False, help_text="monthly if left out; once: add-ons only."
    )
    interval_count = serializers.IntegerField(
        min_value=1, max_value=100, required=False, help_text="1 if left out. 2 and monthly: every two months."
    )
    anchor = serializers.ChoiceField(
        choices=PlanVersion.Anchor.choices, required=False, help_text="calendar if left out. Not in an add-on."
    )
    billing_day = serializers.IntegerField(
        min_value=1,
        max_value=31,
        required=False,
        help_text="Day of the month on which periods begin, 1 if left out. Calendar and months only; not in an add-on.",
    )
    trial_days = serializers.IntegerField(
        min_value=0, max_value=730, required=False, help_text="0 if left out. Not in an add-on."
    )
    charges = PlanChargeSerializer(many=True)
    minimum_commitment = _decimal("Major units a full period, trued up at its end. Not in an add-on.")


class PlanBodySerializer(PlanTermsSerializer):
    """A plan or an add-on in one currency, as the catalogue file writes it."""

    code = StrictCharField(max_length=64, required=False, help_text="The code of the path; may be left out.")
    kind = serializers.ChoiceField(
        choices=Plan.Kind.choices, required=False, help_text="What the code is already, or plan. It never changes."
    )
    name = StrictCharField(
        max_length=255, required=False, help_text="That of all versions; if left out, what it is already, or the code."
    )
    currency = StrictCharField(max_length=3, help_text="ISO 4217. In another currency it is another offer.")
    customer = StrictCharField(
        max_length=255,
        required=False,
        allow_null=True,
        help_text="External id: only this customer can have it, at their own price.",
    )


class PublishPlanSerializer(PlanBodySerializer):
    """A plan to publish."""

    new_version = serializers.BooleanField(
        required=False, help_text="Publish a new version if the plan is published already and says something else."
    )


class DeriveVersionSerializer(PlanTermsSerializer):
    """Whose own version it becomes, and what takes the place of what the public one says; null is the default again."""

    customer = StrictCharField(max_length=255, help_text="External id.")
    charges = PlanChargeSerializer(
        many=True, required=False, help_text="Each takes the place of the one with its code, or is added; the others stay."
    )


class PlanSerializer(PlanBodySerializer):
    """A version of a plan or add-on."""

    version = serializers.IntegerField(help_text="1, 2, 3 … by plan.")
    status = serializers.ChoiceField(
        choices=PlanVersion.Status.choices,
        help_text="draft: being written; archived: not sold any more, and priced on for whoever has it.",
    )
    derived_from = serializers.IntegerField(
        allow_null=True, help_text="The public version that a customer's own was derived from."
    )
    published_at = serializers.DateTimeField(allow_null=True)


class MemberChangeSerializer(StrictSerializer):
    """A member that differs."""

    field = serializers.CharField(help_text="Such as charges.calls.tiers[1].unit_amount: charges are named by their code.")
    before = serializers.JSONField(allow_null=True, help_text="As the file has it; null if it is not there.")
    after = serializers.JSONField(allow_null=True)


class PlanComparisonSerializer(StrictSerializer):
    """What differs between two versions of a plan."""

    to = serializers.IntegerField()
    differences = serializers.ListField(child=serializers.CharField(), help_text="In words, a sentence each.")
    members = MemberChangeSerializer(many=True, help_text="The same by member.")

    def get_fields(self) -> Any:
        """Return the members, with one whose name Python keeps for itself."""
        return {"from": serializers.IntegerField(), **super().get_fields()}
