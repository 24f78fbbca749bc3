"""Corrections in the finance desk: the list of them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from squill.web.admin_pages import HugeReadOnlyAdmin
from usage.models import Correction


@admin.register(Correction)
class CorrectionAdmin(HugeReadOnlyAdmin):
    """Events that were voided or replaced: by whom, when and why. Kept for ever."""

    list_display = (
        "corrected_at",
        "customer",
        "source",
        "event_id",
        "event_type",
        "occurred_at",
        "replacement_id",
        "reason",
        "actor_label",
    )
    list_select_related = ("customer",)
    ordering = ("-id",)
    search_fields = ("=event_id", "=replacement_id", "=subject")
    search_help_text = gettext_lazy("The id of an event or of its replacement, or a subject, in full")
