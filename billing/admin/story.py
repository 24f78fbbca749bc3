"""The audit trail of one object as people read it: what happened, who did it, and the figures that moved."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billing.admin.shown import moment, money
from billing.models import CreditNote, Invoice
from customers.models import AuditEvent

_WORDS: Final[Mapping[str, Promise]] = {
    "coupon.archived": _("Coupon archived"),
    "coupon.created": _("Coupon created"),
    "coupon.redeemed": _("Coupon redeemed"),
    "coupon.taken_away": _("Coupon taken away"),
    "coupon.updated": _("Coupon changed"),
    "credit.expired": _("Credit expired"),
    "credit.granted": _("Credit granted"),
    "credit.refunded": _("Credit paid out"),
    "credit.voided": _("Credit taken back"),
    "credit_note.issued": _("Credit note written"),
    "credit_note.refunded": _("Paid back"),
    "customer.billing_changed": _("Billing changed"),
    "customer.created": _("Customer created"),
    "customer.updated": _("Customer changed"),
    "customer.archived": _("Customer archived"),
    "customer.restored": _("Customer restored"),
    "address.lifted": _("Address gets mail again"),
    "address.suppressed": _("Address gets no more mail"),
    "credit_note.resent": _("Credit note sent again"),
    "delivery.marked_as_sent": _("Notice marked as sent"),
    "delivery.sent_again": _("Notice sent again"),
    "invoice.credited": _("Invoice credited"),
    "invoice.balance_applied": _("Paid from the balance"),
    "invoice.discarded": _("Draft discarded"),
    "invoice.drafted": _("Invoice drafted"),
    "invoice.finalized": _("Invoice finalised"),
    "invoice.given_up": _("Marked as uncollectible"),
    "invoice.items_changed": _("Items changed"),
    "invoice.taken_up": _("Taken up again"),
    "invoice.payment_recorded": _("Payment recorded"),
    "invoice.payment_reversed": _("Payment reversed"),
    "invoice.resent": _("Invoice sent again"),
    "invoice.voided": _("Invoice voided"),
    "payment.receipt_sent": _("Receipt sent"),
    "payment.recorded": _("Payment of the customer recorded"),
    "payment.reversed": _("Payment reversed"),
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
    "subscription.adjustments_drafted": _("Differences drafted"),
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
# The words for what a fact can be; a reason that somebody wrote stands as it is.
_CHOICES: Final[Mapping[str, Mapping[Any, Any]]] = {
    "status": dict(Invoice.Status.choices),
    "reason": dict(CreditNote.Reason.choices),
}


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
            yield f"{label} {_CHOICES.get(name, {}).get(value, value)}"
