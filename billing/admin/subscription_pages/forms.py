"""The forms that change a subscription. They read what is typed; what it means is checked by the services."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from billing.admin.shown import day as shown_day
from billing.admin.subscription_pages.days import within
from billing.admin.subscription_pages.quantities import QuantitiesField, quantity_options, read_quantity
from billing.models import Plan, PlanVersion, Subscription
from billing.subscriptions.changing import When
from billing.subscriptions.standing import Standing
from customers.models import Customer
from squill.lib.decimals import plain

NOW: Final = "now"
PERIOD_END: Final = "period_end"
ON_DAY: Final = "day"


def sold_to(customer: Customer, kind: Plan.Kind) -> QuerySet[PlanVersion]:
    """Return the versions that a customer can have: published, in their currency, for everybody or theirs alone."""
    sold = PlanVersion.objects.filter(
        Q(customer=None) | Q(customer=customer),
        status=PlanVersion.Status.PUBLISHED,
        currency=customer.currency,
        plan__kind=kind,
    )
    return sold.select_related("plan")


class WhenForm(forms.Form):
    """From which day a change holds."""

    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=(
            (PERIOD_END, gettext_lazy("At the end of the running period")),
            (NOW, gettext_lazy("Today")),
            (ON_DAY, gettext_lazy("On a day…")),
        ),
        widget=UnfoldAdminSelectWidget,
    )
    day = forms.DateField(
        label=gettext_lazy("Day"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=gettext_lazy("The first day that it holds for, in the customer's time zone."),
    )

    def __init__(self, data: Any, *, standing: Standing, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.standing = standing
        self.customer: Customer = standing.subscription.customer

    def clean(self) -> dict[str, Any]:
        """Ask for a day where one is wanted, and take none where none is."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("when") == ON_DAY and not cleaned.get("day") and "day" not in self.errors:
            self.add_error("day", _("Choose the day."))
        return cleaned

    def moment(self, now: datetime) -> When:
        """Return what the services take. Once the form is valid."""
        when, day = self.cleaned_data["when"], self.cleaned_data.get("day")
        if when == ON_DAY and isinstance(day, date):
            return within(day, self.customer)
        return "period_end" if when == PERIOD_END else now

    def answers(self) -> list[tuple[str, str]]:
        """Return what was chosen, as the second step repeats it: labels and words. Once the form is valid."""
        shown: list[tuple[str, str]] = []
        for name, field in self.fields.items():
            value = self.cleaned_data.get(name)
            if value in (None, "", {}) or (name == "when" and value == ON_DAY) or (name == "day" and not self.is_on_day):
                continue
            shown.append((str(field.label), self._said(name, field, value)))
        return shown

    @property
    def is_on_day(self) -> bool:
        """Whether a day of its own is chosen."""
        return self.cleaned_data.get("when") == ON_DAY

    def _said(self, name: str, field: Any, value: Any) -> str:
        if isinstance(value, date):
            return shown_day(value)
        if name == "quantities":
            names = {option.code: option.name for option in field.widget.options}
            return ", ".join(f"{names.get(code, code)}: {plain(quantity)}" for code, quantity in value.items())
        if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
            options: Any = field.choices
            return str(dict(options).get(value, value))
        return plain(value) if isinstance(value, Decimal) else str(value)

    def field_of(self, member: str) -> str | None:
        """Return the field that holds a member of the services, None if none does."""
        name = {"ends_at": "when", "quantity": "quantity"}.get(member, member.partition(".")[0])
        if name == "when" and self.is_on_day:
            name = "day"
        return name if name in self.fields else None


class UndoForm(WhenForm):
    """The undoing of a change, which needs a yes only."""

    def __init__(self, data: Any, *, standing: Standing) -> None:
        super().__init__(data, standing=standing)
        del self.fields["when"], self.fields["day"]


class EndForm(WhenForm):
    """When a subscription ends."""

    field_order = ("when", "day")

    def __init__(self, data: Any, *, standing: Standing, initial: Any = None) -> None:
        super().__init__(data, standing=standing, initial=initial)
        self.fields["day"].help_text = _("The first day that is no longer part of it, in the customer's time zone.")


class PlanForm(WhenForm):
    """Which plan a subscription goes over to."""

    plan = forms.ModelChoiceField(label=gettext_lazy("Plan"), queryset=Plan.objects.none(), widget=UnfoldAdminSelectWidget)
    quantities = QuantitiesField(
        label=gettext_lazy("Quantities"),
        required=False,
        help_text=gettext_lazy("Empty: those that both plans have go on, others begin with the plan's default."),
    )
    field_order = ("plan", "quantities", "when", "day")

    def __init__(self, data: Any, *, standing: Standing, initial: Any = None) -> None:
        super().__init__(data, standing=standing, initial=initial)
        versions = sold_to(self.customer, Plan.Kind.PLAN)
        plan: Any = self.fields["plan"]
        plan.queryset = Plan.objects.filter(versions__in=versions).distinct().order_by("name")
        quantities: Any = self.fields["quantities"]
        options = quantity_options(versions)
        quantities.offer(options)
        if not options:
            del self.fields["quantities"]
        current = standing.version

        def named(option: Plan) -> str:
            return _("%(plan)s, the version on sale") % {"plan": option} if option.pk == current.plan_id else str(option)

        plan.label_from_instance = named


class QuantityForm(WhenForm):
    """How many of a fee by quantity a subscription has."""

    charge = forms.ChoiceField(label=gettext_lazy("Fee"), widget=UnfoldAdminSelectWidget)
    quantity = forms.CharField(
        label=gettext_lazy("Quantity"), widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
    )
    field_order = ("charge", "quantity", "when", "day")

    def __init__(self, data: Any, *, standing: Standing, initial: Any = None) -> None:
        super().__init__(data, standing=standing, initial=initial)
        names = {charge.code: charge.name for charge in standing.version.charges.all()}
        held = standing.quantities
        charge: Any = self.fields["charge"]
        charge.choices = [(code, _("%(name)s, %(held)s now") % {"name": names[code], "held": plain(held[code])}) for code in held]

    def clean_quantity(self) -> Any:
        """Read the number."""
        return read_quantity(self.cleaned_data["quantity"])


class AddOnForm(WhenForm):
    """Which add-on a subscription has, and how many."""

    plan = forms.ModelChoiceField(label=gettext_lazy("Add-on"), queryset=Plan.objects.none(), widget=UnfoldAdminSelectWidget)
    quantity = forms.CharField(
        label=gettext_lazy("Quantity"),
        help_text=gettext_lazy("0 takes it off."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    code = forms.CharField(
        label=gettext_lazy("Name within the subscription"),
        required=False,
        help_text=gettext_lazy("Empty: the add-on's own code. Another name puts the same add-on on once more."),
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ("plan", "quantity", "code", "when", "day")

    def __init__(self, data: Any, *, standing: Standing, initial: Any = None) -> None:
        super().__init__(data, standing=standing, initial=initial)
        held = [add_on.version.plan_id for add_on in standing.add_ons]
        plan: Any = self.fields["plan"]
        sold = Plan.objects.filter(Q(versions__in=sold_to(self.customer, Plan.Kind.ADD_ON)) | Q(pk__in=held))
        plan.queryset = sold.distinct().order_by("name")

    def clean_quantity(self) -> Any:
        """Read the number."""
        return read_quantity(self.cleaned_data["quantity"])


def fits_add_ons(subscription: Subscription) -> bool:
    """Say whether there is an add-on that could be put on. One query."""
    return sold_to(subscription.customer, Plan.Kind.ADD_ON).exists()
