"""The audit trail of one object as people read it: what happened, who did it, and the figures that moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.admin.shown import moment, money
from customers.models import AuditEvent

_WORDS: Final[Mapping[str, Promise]] = {
    "customer.created": _("Customer created"),
    "customer.updated": _("Customer changed"),
    "customer.archived": _("Customer archived"),
    "customer.restored": _("Customer restored"),
    "invoice.finalized": _("Invoice finalised"),
    "invoice.payment_recorded": _("Payment recorded"),
    "invoice.resent": _("Invoice sent again"),
    "invoice.voided": _("Invoice voided"),
    "portal_access.granted": _("Portal opened to a person"),
    "portal_access.revoked": _("Portal closed to a person"),
    "subscription.started": _("Subscription started"),
    "subscription.ended": _("Subscription ended"),
    "subscription.unparked": _("Subscription tried again"),
}
_FIGURES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Chapter:
    """One event of a story, ready to print."""

    title: str
    about: str
    at: str
    who: str
    figures: tuple[str, ...]


def story_of(events: Iterable[AuditEvent], *, currency: str) -> list[Chapter]:
    """Tell the events in their order; amounts of minor units are written in the currency."""
    return [
        Chapter(
            title=str(_WORDS.get(event.action, event.action)),
            about=event.object_id,
            at=moment(event.at),
            who=event.actor_label,
            figures=tuple(_figures(event.after, event.after.get("currency", currency)))[:_FIGURES_SHOWN],
        )
        for event in events
    ]


def _figures(values: Mapping[str, Any], currency: str) -> Iterable[str]:
    for name, value in values.items():
        label = name.removesuffix("_minor").replace("_", " ")
        if name.endswith("_minor") and isinstance(value, int):
            yield f"{label} {money(value, currency)}"
        elif name != "currency" and isinstance(value, str | int) and value != "":
            yield f"{label} {value}"
