"""What a person needs to decide about an event whose id was taken by other content: the two, side by side."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from usage.admin.comparing import Content, side_by_side
from usage.admin.identity import event_ref
from usage.admin.payload import with_exact_data
from usage.corrections import CorrectionError
from usage.corrections.finding import find_event
from usage.models import Correction, QuarantinedEvent


def conflict(request: HttpRequest, waiting: Any) -> dict[str, Any] | None:
    """Return what the page of a conflict shows beside it: the first event with the id, and what became of that."""
    try:
        first: Any = find_event(source=waiting.source, event_id=waiting.event_id)
    except CorrectionError:
        return _in_quarantine(waiting)
    corrected = _correction_of(first)
    may_replace = corrected is None and request.user.has_perm("usage.add_correction")
    replace = reverse("admin:usage_event_replace", args=[event_ref(first.source, first.event_id)])
    return {
        "rows": side_by_side(Content.of(first), Content.of(waiting)),
        "standing": _("It counts.") if corrected is None else _what_happened(corrected),
        "replace": f"{replace}?by={waiting.pk}" if may_replace else "",
    }


def _in_quarantine(waiting: Any) -> dict[str, Any] | None:
    same = with_exact_data(QuarantinedEvent.objects.filter(key=waiting.key)).exclude(pk=waiting.pk)
    first = same.exclude(reason=QuarantinedEvent.Reason.CONFLICT).first()
    if first is None:
        return None
    if first.status == QuarantinedEvent.Status.DISCARDED:
        standing = _("It was discarded (%(reason)s).") % {"reason": first.discard_reason}
    else:
        standing = _("It waits in quarantine too (%(reason)s).") % {"reason": first.get_reason_display()}
    return {"rows": side_by_side(Content.of(first), Content.of(waiting)), "standing": standing, "replace": ""}


def _correction_of(event: Any) -> Correction | None:
    """Return what was corrected about a stored event, by the index on customer and time."""
    found = Correction.objects.filter(customer_id=event.customer_id, occurred_at=event.occurred_at)
    return found.filter(source=event.source, event_id=event.event_id).first()


def _what_happened(corrected: Correction) -> str:
    if corrected.replacement_id:
        return _("It was replaced by %(id)s (%(reason)s).") % {"id": corrected.replacement_id, "reason": corrected.reason}
    return _("It was voided (%(reason)s).") % {"reason": corrected.reason}
