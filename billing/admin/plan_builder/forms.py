"""The forms of the page: one for what a plan is, one for each charge, one for each tier. They check nothing by themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from billing.admin.plan_builder import choices
from billing.admin.plan_builder.rows import ONLY, ChargeRow, form_data
from usage.models import Meter

_NUMBER: Final = {"inputmode": "decimal", "autocomplete": "off"}
_WHOLE: Final = {"inputmode": "numeric", "autocomplete": "off"}


def _text(label: Any, help_text: Any = "", **attrs: str) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", **attrs})
    return forms.CharField(label=label, required=False, help_text=help_text, widget=widget)


def _number(label: Any, help_text: Any = "", **attrs: str) -> forms.CharField:
    return _text(label, help_text, **{**_NUMBER, **attrs})


def _choice(label: Any, options: choices.Choices, help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=options, help_text=help_text, widget=UnfoldAdminSelectWidget)


class FactsForm(forms.Form):
    """What a plan is, beside its charges. Fields that may not change any more are shown; what is sent for them is ignored."""

    name = _text(_("Name"), _("As it stands on invoices."), maxlength="255")
    code = _text(_("Code"), _("How files and the API name it; it never changes."), maxlength="64")
    kind = _choice(_("Kind"), choices.KINDS)
    currency = _text(_("Currency"), _("Three letters, such as EUR."), maxlength="3")
    interval_count = _text(_("Intervals in a period"), _("3 with monthly: every three months."), **_WHOLE)
    interval = _choice(_("Billed"), choices.INTERVALS)
    anchor = _choice(_("Periods begin"), choices.ANCHORS)
    billing_day = _text(_("Billing day"), _("Of the month, with the calendar only."), **_WHOLE)
    trial_days = _text(_("Days of trial"), _("Nothing is charged in them."), **_WHOLE)
    minimum_commitment = _number(_("Minimum commitment"), _("What a full period costs at least."))

    def __init__(self, data: Mapping[str, str], *, fixed: Mapping[str, str]) -> None:
        super().__init__(data, initial=dict(fixed))
        for name in fixed:
            self.fields[name].disabled = True
            self.fields[name].help_text = ""

    def clean_currency(self) -> str:
        """Write it as ISO 4217 does."""
        return str(self.cleaned_data["currency"]).upper()

    def members(self) -> dict[str, Any]:
        """Return the members that were filled in. An add-on has no anchor, so that the one preset is none."""
        values = {name: value for name, value in self.cleaned_data.items() if value}
        kind = values.pop("kind", "plan")
        presets = {"anchor": "calendar", "billing_day": "1", "trial_days": "0"}
        if kind == "add_on":
            values = {name: value for name, value in values.items() if presets.get(name) != value}
        if values.get("interval") == "once" and values.get("interval_count") == "1":
            del values["interval_count"]
        return values


class ChargeForm(forms.Form):
    """One charge. Every field may stay empty here: what is missing or wrong, the reader of plans says."""

    name = _text(_("Name"), maxlength="255")
    code = _text(_("Code"), maxlength="64")
    prices = _choice(_("Prices"), choices.PRICES)
    meter = forms.ChoiceField(label=_("Meter"), required=False, widget=UnfoldAdminSelectWidget)
    default_quantity = _number(_("Default quantity"), _("How many a subscription has unless it says otherwise."))
    billed = _choice(_("Billed"), choices.BILLED)
    tax_class = _text(_("Tax class"), _("Empty: standard. Or reduced, zero, exempt, or one of your own."), maxlength="32")
    tax_rate = _number(_("Tax rate, %"), _("In place of the rate of the class, whatever the day."))
    model = _choice(_("Charge model"), choices.MODELS)
    amount = _number(_("Amount"), _("In each period."))
    unit_amount = _number(_("Price of a unit"))
    package_size = _number(_("Units in a package"))
    package_amount = _number(_("Price of a package"))
    round = _choice(_("Rounding"), choices.PACKAGE_ROUNDINGS)
    rate = _number(_("Rate, %"), _("Of the amount of each event."))
    fixed_amount = _number(_("Fee for each event"))
    free_events = _number(_("Free events"), _("The first of a period."))
    free_amount = _number(_("Free amount"), _("Of the events after those."))
    per_transaction_min = _number(_("At least, for an event"))
    per_transaction_max = _number(_("At most, for an event"))
    tiers = forms.CharField(required=False)  # never shown: what is wrong with the table as a whole stands here
    free_units = _number(_("Free units"), _("Come off first."))
    divide_by = _number(_("Divide by"), _("Metered units in one priced unit, such as 1000."))
    divide_round = _choice(_("The quotient is taken"), choices.DIVIDE_ROUNDINGS)
    usage_discount = _number(_("Units taken off"), _("After the free ones."))
    percentage_discount = _number(_("Discount, %"))
    minimum_amount = _number(_("At least"), _("In each period."))
    maximum_amount = _number(_("At most"), _("In each period."))
    free_when_unused = forms.BooleanField(
        label=_("Charge nothing where nothing was used"), required=False, widget=UnfoldBooleanWidget
    )

    def __init__(self, data: Mapping[str, str], *, index: int, meters: "Meters") -> None:
        super().__init__(data, prefix=f"charges-{index}")
        meter: Any = self.fields["meter"]
        meter.choices = meters.options
        for dimension in meters.having:
            label = _("Only where %(dimension)s is") % {"dimension": dimension}
            self.fields[f"{ONLY}{dimension}"] = _text(label, _("Empty: all that no other charge takes."))
        self.meters = meters

    def shown(self, *names: str) -> list[dict[str, Any]]:
        """Return fields with what the script needs to know of them: which models take them."""
        return [{"field": self[name], "models": choices.models_with(name)} for name in names]

    @property
    def of_model(self) -> list[dict[str, Any]]:
        """The numbers of the models."""
        return self.shown(*dict.fromkeys(name for names in choices.MODEL_FIELDS.values() for name in names))

    @property
    def of_adjustments(self) -> list[dict[str, Any]]:
        """What any model may have around it."""
        return self.shown(*choices.ADJUSTMENTS)

    @property
    def has_adjustments(self) -> bool:
        """Whether one of those is filled in, or refused."""
        return any(self.data.get(self.add_prefix(name)) or name in self.errors for name in choices.ADJUSTMENTS)

    @property
    def has_tax(self) -> bool:
        """Whether a class or a rate is filled in, or refused."""
        return any(self.data.get(self.add_prefix(name)) or name in self.errors for name in ("tax_class", "tax_rate"))

    @property
    def of_filter(self) -> list[dict[str, Any]]:
        """The dimensions, each with the codes of the meters that have it."""
        return [{"field": self[f"{ONLY}{name}"], "meters": " ".join(codes)} for name, codes in self.meters.having.items()]


class TierForm(forms.Form):
    """A row of the table of tiers."""

    up_to = _number(_("Up to"))
    unit_amount = _number(_("Price of a unit"))
    flat_amount = _number(_("Flat amount"))
    rate = _number(_("Rate, %"))

    def __init__(self, data: Mapping[str, str], *, prefix: str) -> None:
        super().__init__(data, prefix=prefix)
        for bound in self:  # the heads of the columns are what is seen
            bound.field.widget.attrs["aria-label"] = bound.label

    @property
    def columns(self) -> list[dict[str, Any]]:
        """Return the fields, each with the models that have its column."""
        return [{"field": bound, "models": choices.models_with_tier(bound.name)} for bound in self]


@dataclass(frozen=True, slots=True)
class Meters:
    """What can be priced: the meters to choose from, and the dimensions with the codes of the meters that have them."""

    options: list[tuple[str, str]]
    having: dict[str, list[str]]


def known_meters() -> Meters:
    """Return all meters. One query."""
    options = [("", str(_("Choose…")))]
    having: dict[str, list[str]] = {}
    for meter in Meter.objects.order_by("name", "code"):
        options.append((meter.code, f"{meter.name} ({meter.code})" if meter.name != meter.code else meter.code))
        for dimension in meter.dimensions:
            having.setdefault(dimension, []).append(meter.code)
    return Meters(options, having)


@dataclass(slots=True)
class ChargeForms:
    """A charge with its tiers."""

    row: ChargeRow
    form: ChargeForm
    tiers: list[TierForm] = field(default_factory=list)


class PlanForms:
    """The whole page: facts, charges, tiers, and what is wrong with none of them in particular."""

    def __init__(self, facts: Mapping[str, str], rows: list[ChargeRow], *, fixed: Mapping[str, str]) -> None:
        meters, data = known_meters(), form_data(rows)
        self.errors: list[str] = []
        self.facts = FactsForm(facts, fixed=fixed)
        self.charges = [
            ChargeForms(
                row,
                ChargeForm(data, index=index, meters=meters),
                [TierForm(data, prefix=f"charges-{index}-tiers-{place}") for place in range(len(row.tiers))],
            )
            for index, row in enumerate(rows)
        ]
        # What the script copies for another charge or tier.
        self.blank = ChargeForms(
            ChargeRow(),
            ChargeForm({}, index=9999, meters=meters),
            [TierForm({}, prefix=f"charges-9999-tiers-{place}") for place in range(2)],
        )

    def is_valid(self) -> bool:
        """Whether nothing was chosen that cannot be chosen."""
        return all([self.facts.is_valid(), *(charge.form.is_valid() for charge in self.charges)])

    @property
    def has_errors(self) -> bool:
        """Whether anything is refused."""
        forms_of = [self.facts, *(form for charge in self.charges for form in (charge.form, *charge.tiers))]
        return bool(self.errors) or any(form.errors for form in forms_of)
