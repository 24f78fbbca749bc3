"""Why events wait: how many for each reason, as a filter of the list and as the cards above it."""

from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from usage.admin.asking import number
from usage.models import QuarantinedEvent

_REASON: Final = QuarantinedEvent.Reason
# What ends the wait of the events.
_NOTES: Final = {
    _REASON.UNKNOWN_SUBJECT: gettext_lazy("replayed once a customer has it"),
    _REASON.UNKNOWN_TYPE: gettext_lazy("replayed once a meter counts it"),
    _REASON.UNUSABLE_VALUE: gettext_lazy("replay after a fix, or discard"),
    _REASON.CONFLICT: gettext_lazy("compare with the first, and decide"),
}


class ReasonFilter(admin.SimpleListFilter):
    """Filters the events that wait by reason; the cards above the list are the same choices."""

    title = gettext_lazy("waiting because of")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return every reason."""
        return list(_REASON.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the waiting events of the chosen reason."""
        if not self.value():
            return queryset
        return queryset.filter(reason=self.value(), status=QuarantinedEvent.Status.WAITING)


def reason_cards(request: HttpRequest) -> list[dict[str, Any]]:
    """Return a card for each reason with the number of events that wait; one query, counted by the index on what waits."""
    waiting = QuarantinedEvent.objects.filter(status=QuarantinedEvent.Status.WAITING)
    counts = dict(waiting.order_by().values("reason").annotate(count=Count("pk")).values_list("reason", "count"))
    chosen = request.GET.get(ReasonFilter.parameter_name)
    return [
        {
            "title": capfirst(reason.label),
            "count": counts.get(reason.value, 0),
            "shown": number(counts.get(reason.value, 0)),
            "note": _NOTES[reason],
            "is_current": reason.value == chosen,
            # The card of what is shown leads back to all.
            "link": "?" if reason.value == chosen else f"?{ReasonFilter.parameter_name}={reason.value}",
        }
        for reason in _REASON
    ]
