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
    "plan.created": _("Plan published"),
    "plan.draft_discarded": _("Draft discarded"),
    "plan.draft_saved": _("Draft saved"),
    "plan.renamed": _("Plan renamed"),
    "plan.version_archived": _("Archived"),
    "plan.version_derived": _("Derived for a customer"),
    "plan.version_published": _("Published"),
    "portal_access.granted": _("Portal opened to a person"),
    "portal_access.revoked": _("Portal closed to a person"),
    "subscription.started": _("Subscription started"),
    "subscription.change_undone": _("Change undone"),
    "subscription.ended": _("Subscription ended"),
    "subscription.paused": _("Subscription paused"),
    "subscription.plan_changed": _("Plan changed"),
    "subscription.quantity_changed": _("Quantity changed"),
    "subscription.resumed": _("Subscription resumed"),
    "subscription.unparked": _("Subscription tried again"),
    "subscription.withdrawn": _("Subscription withdrawn"),
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


def story_of(events: Iterable[AuditEvent], *, currency: str, figures: bool = True) -> list[Chapter]:
    """Tell the events in their order; amounts of minor units are written in the currency, unless figures are left out."""
    return [
        Chapter(
            title=str(_WORDS.get(event.action, event.action)),
            about=event.object_id,
            at=moment(event.at),
            who=event.actor_label,
            figures=tuple(_figures(event.after, event.after.get("currency", currency)))[:_FIGURES_SHOWN] if figures else (),
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
