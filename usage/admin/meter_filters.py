"""The filters of a meter in the finance desk: as JSON to be written, and in words to be read."""

from typing import Any, Final

import msgspec
from django.core.exceptions import ValidationError
from django.forms import CharField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from usage.encoding import exact_json
from usage.ingestion.checking import MalformedEvents
from usage.ingestion.decoding import read_json
from usage.rollups.filters import Filters, canonical

_ORDERS: Final = {"gt": ">", "gte": "≥", "lt": "<", "lte": "≤"}


class FiltersField(CharField):
    """Filters as a JSON object; an empty text is none. Its value is canonical."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Filters"),
            required=False,
            widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "class": "desk-code", "spellcheck": "false"}),
            help_text=gettext_lazy(
                "What data must hold for an event to count, all of it, as JSON; empty if every event counts. "
                'Such as {"status": {"in": ["200", "204"]}, "bytes": {"gte": "1024"}, "test": {"exists": false}}. '
                "Operators: equals, not_equals, in, not_in, exists, gt, gte, lt, lte."
            ),
        )

    def prepare_value(self, value: Any) -> Any:
        """Return what the field shows: filters indented, a text that was sent as it is."""
        if not isinstance(value, dict):
            return value
        return msgspec.json.format(exact_json.encode(value).decode(), indent=2) if value else ""

    def to_python(self, value: Any) -> Any:
        """Read the filters."""
        text = super().to_python(value)
        try:
            return canonical(read_json(text.encode())) if text else {}
        except (MalformedEvents, ValueError) as error:
            raise ValidationError(str(error)) from None


def in_words(filters: Filters) -> str:
    """Say what an event must hold to be counted; a dash where every event is."""
    return "; ".join(_condition(path, *each) for path, asked in filters.items() for each in asked.items()) or "–"


def _condition(path: str, operator: str, operand: Any) -> str:
    if operator == "exists":
        return (_("%(member)s is there") if operand else _("%(member)s is missing")) % {"member": path}
    if operator in _ORDERS:
        return f"{path} {_ORDERS[operator]} {operand}"
    if operator in ("in", "not_in"):
        said = _("%(member)s is one of %(texts)s") if operator == "in" else _("%(member)s is none of %(texts)s")
        return said % {"member": path, "texts": ", ".join(operand)}
    said = _("%(member)s is %(text)s") if operator == "equals" else _("%(member)s is not %(text)s")
    return said % {"member": path, "text": operand}
