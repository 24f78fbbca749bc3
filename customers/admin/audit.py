"""The audit trail, to read."""

import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from customers.models import AuditEvent
from squill.web.admin_pages import HugeReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(HugeReadOnlyAdmin):
    """Who changed what, newest first."""

    list_display = ("at", "action", "object_id", "customer", "actor_label", "actor_kind")
    list_select_related = ("customer",)
    search_fields = ("object_id", "actor_label", "action")
    ordering = ("-id",)
    fields = ("at", "action", "object_type", "object_id", "customer", "actor_kind", "actor_label", "was", "became")
    readonly_fields = fields

    @admin.display(description=gettext_lazy("before"))
    def was(self, event: AuditEvent) -> SafeString:
        """Return the values before, as indented JSON."""
        return _indented(event.before)

    @admin.display(description=gettext_lazy("after"))
    def became(self, event: AuditEvent) -> SafeString:
        """Return the values after, as indented JSON."""
        return _indented(event.after)


def _indented(values: dict[str, Any]) -> SafeString:
    return format_html("<pre>{}</pre>", json.dumps(values, indent=2, ensure_ascii=False, sort_keys=True) if values else "–")
