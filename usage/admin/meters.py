"""Meters in the finance desk: made by their service, and fixed in meaning once they have counted."""

from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.postgres.forms import SimpleArrayField
from django.forms import CharField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from squill.lib import clock
from squill.web.admin_pages import KeptAdmin, RecordForm, actor_of, detail_action
from usage.admin.meter_filters import FiltersField, in_words
from usage.admin.succeeding import succeed_page
from usage.models import Meter, Rollup
from usage.services import MeterError, check_meter, create_meter, update_meter


class MeterForm(RecordForm):
    """A meter to be made or changed."""

    dimensions = SimpleArrayField(
        CharField(max_length=64),
        label=gettext_lazy("Dimensions"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Members of data that a price may depend on, with commas between them."),
    )
    filters = FiltersField()

    class Meta:
        model = Meter
        fields = ("code", "name", "event_type", "aggregation", "value_path", "dimensions", "filters", "unit")

    def clean(self) -> dict[str, Any]:
        """Put what the service would refuse beside the fields."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        meter = Meter(**{field: cleaned.get(field, getattr(self.instance, field)) for field in MeterForm.Meta.fields})
        try:
            check_meter(meter)
        except MeterError as error:
            for field, message in error.errors.items():
                self.add_error(field if field in self.fields else None, message)
        return cleaned


_MEANING: Final = ("event_type", "filters", "aggregation", "value_path", "dimensions")


@admin.register(Meter)
class MeterAdmin(KeptAdmin):
    """What is counted. Making one counts the past too."""

    form = MeterForm
    list_display = (
        "name",
        "code",
        "event_type",
        "filters_text",
        "aggregation",
        "value_path",
        "dimensions_text",
        "unit",
        "successor_text",
    )
    list_filter = ("aggregation",)
    list_select_related = ("successor",)
    search_fields = ("code", "name", "event_type")
    ordering = ("name",)
    actions_detail = ("succeed",)
    fieldsets = (
        (None, {"fields": ("name", "code", "unit")}),
        (gettext_lazy("Meaning"), {"fields": _MEANING}),
    )

    class Media:
        css = {"all": ("squill/desk.css",)}

    def has_succeed_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Let those succeed a meter who may both make and change meters."""
        return self.has_add_permission(request) and bool(request.user.has_perm("usage.change_meter"))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Say of a meter that is there what it succeeds and what succeeds it."""
        if obj is None:
            return self.fieldsets
        return (*self.fieldsets, (gettext_lazy("Succession"), {"fields": ("predecessor_text", "successor_text")}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix the meaning of a meter that has counted something."""
        if obj is None:
            return ()
        is_fixed = Rollup.objects.filter(meter_id=obj.pk).exists()
        return (*(("code", *_MEANING) if is_fixed else ()), "predecessor_text", "successor_text")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer a successor only where there is none."""
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        is_succeeded = Meter.objects.filter(predecessor_id=object_id).exists()
        return [] if is_succeeded else offered

    @admin.display(description=gettext_lazy("dimensions"))
    def dimensions_text(self, meter: Meter) -> str:
        """Return the dimensions in words."""
        return ", ".join(meter.dimensions) or "–"

    @admin.display(description=gettext_lazy("filters"))
    def filters_text(self, meter: Meter) -> str:
        """Return the filters in words."""
        return in_words(meter.filters)

    @admin.display(description=gettext_lazy("succeeds"))
    def predecessor_text(self, meter: Meter) -> str:
        """Return the code of the meter that this one succeeds, as a link."""
        return _link(meter.predecessor)

    @admin.display(description=gettext_lazy("succeeded by"))
    def successor_text(self, meter: Meter) -> str:
        """Return the code of the meter that succeeds this one, as a link."""
        return _link(getattr(meter, "successor", None))

    @detail_action(title=gettext_lazy("Succeed…"), path="succeed", icon="move_up", permission="succeed")
    def succeed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask what shall differ, then make the meter that takes the place of this one."""
        return succeed_page(self, request, get_object_or_404(Meter, pk=object_id))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the form; what the meter has come to since it was opened is told, and nothing is written."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except MeterError as error:
            messages.error(request, str(error))
            return redirect(request.path)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Make or change the meter by its service."""
        values = {field: form.cleaned_data[field] for field in form.cleaned_data}
        actor, now = actor_of(request), clock.now()
        if change:
            meter = update_meter(meter_id=obj.pk, changes=values, actor=actor, now=now)
        else:
            meter = create_meter(**values, actor=actor, now=now)
        obj.__dict__.update(meter.__dict__)


def _link(meter: Meter | None) -> str:
    if meter is None:
        return "–"
    return format_html('<a href="{}">{}</a>', reverse("admin:usage_meter_change", args=[meter.pk]), meter.code)
