"""Notices as the pages of invoices and customers show them: where each went, and what became of it."""

from collections.abc import Iterable
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.admin.shown import DELIVERY_COLORS, moment
from billing.delivery.suppression import plain_address, suppressions
from billing.models import Delivery, SuppressedAddress

# The states of rows, and what was reported of those that were sent.
STATE_COLORS: Final = DELIVERY_COLORS | {"delivered": "success", "bounced": "danger", "complained": "danger"}


def state_of(delivery: Delivery) -> tuple[str, Any]:
    """Return what a delivery stands at as (key, words): the worst that was reported of it, or else its status."""
    if delivery.complained_at:
        return "complained", _("complained about")
    if delivery.bounced_at:
        return "bounced", _("came back")
    if delivery.delivered_at and delivery.status == Delivery.Status.SENT:
        return "delivered", _("arrived")
    return delivery.status, delivery.get_status_display()


def delivery_rows(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Return rows for admin/billing/deliveries.html. One query besides that of the deliveries."""
    rows = list(deliveries)
    suppressed = suppressions(delivery.recipient for delivery in rows)
    return [_row(delivery, suppressed.get(plain_address(delivery.recipient))) for delivery in rows]


def suppression_notice(address: str) -> dict[str, str] | None:
    """Return what admin/billing/suppressed.html shows of an address that nothing is sent to; None of any other. One query."""
    suppressed = suppressions([address]).get(plain_address(address))
    if suppressed is None:
        return None
    return {
        "address": suppressed.address,
        "reason": str(suppressed.get_reason_display()),
        "since": moment(suppressed.suppressed_at),
        "url": _suppressed_url(suppressed),
    }


def _row(delivery: Delivery, suppressed: SuppressedAddress | None) -> dict[str, Any]:
    key, words = state_of(delivery)
    reported = delivery.complained_at or delivery.bounced_at or delivery.delivered_at
    when = reported or delivery.sent_at
    return {
        "recipient": delivery.recipient,
        "notice": _notice(delivery),
        "error": delivery.last_error,
        "status": words,
        "color": STATE_COLORS[key],
        "at": moment(when) if when else "–",
        "url": reverse("admin:billing_delivery_change", args=[delivery.pk]),
        "suppressed_url": _suppressed_url(suppressed) if suppressed else "",
    }


def _notice(delivery: Delivery) -> str:
    if delivery.kind != Delivery.Kind.REMINDER:
        return str(delivery.get_kind_display())
    return _("reminder, day %(day)s") % {"day": delivery.occasion}


def _suppressed_url(suppressed: SuppressedAddress) -> str:
    return reverse("admin:billing_suppressedaddress_change", args=[suppressed.pk])
