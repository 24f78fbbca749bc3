"""Billing runs, to read."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.shown import label_column
from billing.models import BillingRun
from squill.web.admin_pages import ReadOnlyAdmin


@admin.register(BillingRun)
class BillingRunAdmin(ReadOnlyAdmin):
    """Every walk through what was due, newest first."""

    list_display = (
        "as_of",
        "state",
        "finalize",
        "drafted_count",
        "finalized_count",
        "failed_count",
        "parked_count",
        "started_at",
    )
    list_filter = ("finalize",)
    ordering = ("-pk",)
    fields = (
        ("as_of", "finalize"),
        ("started_at", "finished_at"),
        ("drafted_count", "finalized_count"),
        ("failed_count", "parked_count"),
    )

    @label_column(description=gettext_lazy("state"), colors={"done": "success", "failed": "danger", "open": "info"})
    def state(self, run: BillingRun) -> tuple[str, Any]:
        """Return whether the run ended, and whether all went well."""
        if run.finished_at is None:
            return "open", _("not ended")
        return ("failed", _("with failures")) if run.failed_count else ("done", _("done"))
