"""
The JSON of plans, which is that of the catalogue file (design of the members: docs/tariffs.md).

A plan that comes in is read by billing.catalog.document.read_plan, as strictly as a file: these serializers describe it.
"""

from rest_framework import serializers

from billing.models import Charge, PlanVersion
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
    """A price on a meter, or a fixed fee, within a plan."""

    code = StrictCharField(max_length=64)
    name = StrictCharField(max_length=255, required=False, help_text="Printed on invoices; the code if left out.")
    meter = StrictCharField(max_length=64, required=False, help_text="The code of the meter whose usage is priced.")
    filter = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="Dimension → value: only such usage; without it, what no other takes.",
    )
    billed = serializers.ChoiceField(choices=Charge.Billed.choices, required=False, help_text="in_arrears if left out.")


class PlanBodySerializer(StrictSerializer):
    """A plan as the catalogue file writes it."""

    code = StrictCharField(max_length=64, required=False, help_text="The code of the path; may be left out.")
    name = StrictCharField(max_length=255, required=False, help_text="The code if left out.")
    currency = StrictCharField(max_length=3, help_text="ISO 4217. A plan keeps its currency for good.")
    interval = serializers.ChoiceField(choices=PlanVersion.Interval.choices, required=False, help_text="monthly if left out.")
    anchor = serializers.ChoiceField(choices=PlanVersion.Anchor.choices, required=False, help_text="calendar if left out.")
    charges = PlanChargeSerializer(many=True)
    minimum_commitment = _decimal("Major units a full period, trued up at its end.")


class PublishPlanSerializer(PlanBodySerializer):
    """A plan to publish."""

    new_version = serializers.BooleanField(
        required=False, help_text="Publish a new version if the plan is published already and says something else."
    )


class PlanSerializer(PlanBodySerializer):
    """A published version of a plan."""

    version = serializers.IntegerField(help_text="1, 2, 3 … by plan.")
    status = serializers.ChoiceField(
        choices=[choice for choice in PlanVersion.Status.choices if choice[0] != PlanVersion.Status.DRAFT],
        help_text="archived: not sold any more, and priced on for whoever has it.",
    )
    published_at = serializers.DateTimeField()
