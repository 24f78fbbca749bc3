"""What the form of a plan offers, and which of its fields belong to which charge model."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.models import Charge, Plan, PlanVersion

type Choices = tuple[tuple[str, str | Promise], ...]

USAGE, FLAT, QUANTITY = "usage", "flat", "quantity"

KINDS: Final[Choices] = ((Plan.Kind.PLAN.value, _("Plan")), (Plan.Kind.ADD_ON.value, _("Add-on, sold on top of a plan")))
INTERVALS: Final[Choices] = (
    (PlanVersion.Interval.WEEKLY.value, _("Weekly")),
    (PlanVersion.Interval.MONTHLY.value, _("Monthly")),
    (PlanVersion.Interval.QUARTERLY.value, _("Quarterly")),
    (PlanVersion.Interval.YEARLY.value, _("Yearly")),
    (PlanVersion.Interval.ONCE.value, _("Once (add-ons only)")),
)
ANCHORS: Final[Choices] = (
    (PlanVersion.Anchor.CALENDAR.value, _("With the calendar")),
    (PlanVersion.Anchor.ANNIVERSARY.value, _("On the day it began")),
)
PRICES: Final[Choices] = (
    (USAGE, _("Usage of a meter")),
    (FLAT, _("A flat fee")),
    (QUANTITY, _("A fee by quantity, such as seats")),
)
BILLED: Final[Choices] = (
    (Charge.Billed.IN_ARREARS.value, _("At the end of the period")),
    (Charge.Billed.IN_ADVANCE.value, _("In advance")),
)
MODELS: Final[Choices] = (
    ("", _("Choose…")),
    ("flat", _("Flat: one amount")),
    ("per_unit", _("Per unit: the same price for each")),
    ("graduated", _("Graduated: each unit at the price of its tier")),
    ("volume", _("Volume: all units at the price of the tier reached")),
    ("package", _("Package: so much for every so many")),
    ("stairstep", _("Stairstep: one amount for the tier reached")),
    ("percentage", _("Percentage of amounts, for each event")),
    ("graduated_percentage", _("Graduated percentage of amounts")),
)
PACKAGE_ROUNDINGS: Final[Choices] = (("", _("Begun packages count")), ("down", _("Only full packages count")))
DIVIDE_ROUNDINGS: Final[Choices] = (("", _("Exactly")), ("up", _("Up to whole units")), ("down", _("Down to whole units")))

# The fields of a charge that a model takes; those of its tiers are below.
MODEL_FIELDS: Final = {
    "flat": ("amount",),
    "per_unit": ("unit_amount",),
    "graduated": (),
    "volume": (),
    "package": ("package_size", "package_amount", "round"),
    "stairstep": (),
    "percentage": ("rate", "fixed_amount", "free_events", "free_amount", "per_transaction_min", "per_transaction_max"),
    "graduated_percentage": (),
}
TIER_FIELDS: Final = {
    "graduated": ("up_to", "unit_amount", "flat_amount"),
    "volume": ("up_to", "unit_amount", "flat_amount"),
    "stairstep": ("up_to", "flat_amount"),
    "graduated_percentage": ("up_to", "rate", "flat_amount"),
}
ADJUSTMENTS: Final = (
    "free_units",
    "divide_by",
    "divide_round",
    "usage_discount",
    "percentage_discount",
    "minimum_amount",
    "maximum_amount",
    "free_when_unused",
)


def models_with(field: str) -> str:
    """Return the models that take a field of a charge, as a page says it to its script; empty where all do."""
    return " ".join(model for model, fields in MODEL_FIELDS.items() if field in fields)


def models_with_tier(field: str) -> str:
    """Return the models whose tiers have a column."""
    return " ".join(model for model, fields in TIER_FIELDS.items() if field in fields)
