"""How the finance desk writes amounts, days and states, in the language of whoever looks."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, cast

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from unfold.decorators import display as unfold_display

from billing.invoicing.standing import Standing
from squill.lib import clock
from squill.web import formatting

# Unfold's names for the colours of labels.
STANDING_COLORS: Final = {
    Standing.DRAFT.value: "warning",
    Standing.OPEN.value: "info",
    Standing.PARTLY_PAID.value: "warning",
    Standing.OVERDUE.value: "danger",
    Standing.PAID.value: "success",
    Standing.VOID.value: "",
    Standing.UNCOLLECTIBLE.value: "danger",
}

DELIVERY_COLORS: Final = {
    "queued": "info",
    "sending": "info",
    "sent": "success",
    "held": "warning",
    "failed": "danger",
    "cancelled": "warning",
}


def locale() -> str:
    """Return the language of the page."""
    return get_language() or "en"


def money(minor: int, currency: str) -> str:
    """Write minor units with their currency."""
    return formatting.format_money_minor(minor, currency, locale())


def day(value: date) -> str:
    """Write a day with the name of its month."""
    return formatting.format_date(value, locale())


def days(first: date, last: date) -> str:
    """Write a span of days, both inclusive."""
    return formatting.format_date_range(first, last, locale())


def moment(value: datetime) -> str:
    """Write an instant of the past, in UTC."""
    return f"{day(value.astimezone(UTC).date())}, {value.astimezone(UTC):%H:%M} UTC"


def badge(text: Any, color: str) -> SafeString:
    """Write a coloured label where Unfold makes none of its own: in the rows below an object."""
    return mark_safe(render_to_string("unfold/helpers/label.html", {"text": text, "type": color}))  # noqa: S308 (a template's)


def today() -> date:
    """Return the day by which the desk calls an invoice overdue: that of UTC, since it looks at customers of many zones."""
    return clock.now().date()


def label_column[F: Callable[..., Any]](*, description: Any, colors: Mapping[str, str], ordering: str = "") -> Callable[[F], F]:
    """Make a method that returns (key, text) a column of coloured labels."""
    decorate = unfold_display(description=description, label=dict(colors), ordering=ordering or None)
    return cast("Callable[[F], F]", decorate)


def link(model: str, pk: Any, text: Any) -> SafeString:
    """Link to an object's page in the desk; `model` is such as billing_invoice."""
    return format_html('<a class="desk-link" href="{}">{}</a>', reverse(f"admin:{model}_change", args=[pk]), text)
