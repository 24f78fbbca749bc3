"""A field that asks for how many of each fee by quantity; which plan has which is known to the page's script."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from billing.models import Charge, PlanVersion
from squill.lib.decimals import plain

_LONGEST = 40


@dataclass(slots=True)
class QuantityOption:
    """A fee by quantity: its name, and the plans that have it with their defaults."""

    code: str
    name: str
    plans: list[int] = field(default_factory=list)
    defaults: set[str] = field(default_factory=set)


def quantity_options(versions: Iterable[PlanVersion]) -> list[QuantityOption]:
    """Return the fees by quantity of versions, one for each code. One query."""
    found: dict[str, QuantityOption] = {}
    charges = Charge.objects.filter(plan_version__in=versions, default_quantity__isnull=False)
    for charge in charges.select_related("plan_version").order_by("position", "code"):
        option = found.setdefault(charge.code, QuantityOption(charge.code, charge.name))
        option.plans.append(charge.plan_version.plan_id)
        option.defaults.add(plain(charge.default_quantity or Decimal(0)))
    return list(found.values())


class QuantitiesWidget(forms.Widget):
    """An input for each option, named after the field and the charge."""

    template_name = "admin/billing/quantities.html"
    options: Iterable[QuantityOption] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add the inputs; what is left empty is the plan's default."""
        context = super().get_context(name, value, attrs)
        typed = value if isinstance(value, Mapping) else {}
        context["inputs"] = [
            {
                "name": f"{name}-{option.code}",
                "label": option.name,
                "value": typed.get(option.code, ""),
                "plans": " ".join(map(str, option.plans)),
                "default": option.defaults.copy().pop() if len(option.defaults) == 1 else "",
            }
            for option in self.options
        ]
        return context

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """Write the inputs by a template of the project, which the forms' own renderer does not find."""
        return mark_safe(render_to_string(self.template_name, self.get_context(name, value, attrs)))  # noqa: S308 (a template's)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        """Read what was typed, by the code of the charge."""
        prefix = f"{name}-"
        typed = {key.removeprefix(prefix): str(data[key]).strip() for key in data if key.startswith(prefix)}
        return {code: value for code, value in typed.items() if value}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Say that it is never left out: nothing typed is an answer."""
        return False


class QuantitiesField(forms.Field):
    """The quantities that were typed, as Decimals by the code of their charge."""

    widget = QuantitiesWidget

    def offer(self, options: Iterable[QuantityOption]) -> None:
        """Set what is asked for."""
        self.widget.options = list(options)

    def clean(self, value: Any) -> dict[str, Decimal]:
        """
        Read the numbers.

        :raises ValidationError: naming the first that is none
        """
        return {code: read_quantity(text, prefix=f"{code}: ") for code, text in (value or {}).items()}


def read_quantity(text: str, *, prefix: str = "") -> Decimal:
    """
    Read a number that a person typed; the services check its bounds.

    :raises ValidationError: if it is none
    """
    try:
        number = Decimal(text) if len(text) <= _LONGEST and text.isascii() else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValidationError(prefix + _("write a number, such as 5 or 2.5"))
    return number
