"""Meters in the finance desk: made by their service, and fixed in meaning once they have counted."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.forms import CharField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from squill.lib import clock
from squill.web.admin_pages import KeptAdmin, RecordForm, actor_of
from usage.models import Meter, Rollup
from usage.services import MeterError, check_meter, create_meter, update_meter


class MeterForm(RecordForm):
    """A meter to be made or changed."""

    dimensions = SimpleArrayField(
        CharField(max_length=64),
        label=gettext_lazy("dimensions"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Members of data that a price may depend on, with commas between them."),
    )

    class Meta:
        model = Meter
        fields = ("code", "name", "event_type", "aggregation", "value_path", "dimensions", "unit")

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


@admin.register(Meter)
class MeterAdmin(KeptAdmin):
    """What is counted. Making one counts the past too."""

    form = MeterForm
    list_display = ("name", "code", "event_type", "aggregation", "value_path", "dimensions_text", "unit")
    list_filter = ("aggregation",)
    search_fields = ("code", "name", "event_type")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "code", "unit")}),
        (gettext_lazy("Meaning"), {"fields": ("event_type", "aggregation", "value_path", "dimensions")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix the meaning of a meter that has counted something."""
        if obj is None or not Rollup.objects.filter(meter_id=obj.pk).exists():
            return ()
        return ("code", "event_type", "aggregation", "value_path", "dimensions")

    @admin.display(description=gettext_lazy("dimensions"))
    def dimensions_text(self, meter: Meter) -> str:
        """Return the dimensions in words."""
        return ", ".join(meter.dimensions) or "–"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Make or change the meter by its service."""
        values = {field: form.cleaned_data[field] for field in form.cleaned_data}
        actor, now = actor_of(request), clock.now()
        if change:
            meter = update_meter(meter_id=obj.pk, changes=values, actor=actor, now=now)
        else:
            meter = create_meter(**values, actor=actor, now=now)
        obj.__dict__.update(meter.__dict__)
