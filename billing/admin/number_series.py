"""How documents are numbered: the pattern of each seller's series, with what comes next. The counters are moved by no hand."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from billing.invoicing.series import PatternRefused, last_number, next_texts, save_series
from billing.models import NumberSeries
from squill.lib import clock
from squill.lib.actor import system
from squill.web.admin_pages import KeptAdmin, RecordForm, actor_of, try_out


class _Refusal(Exception):
    """A refused pattern as errors of the form."""

    def __init__(self, refused: PatternRefused) -> None:
        super().__init__(str(refused))
        self.errors = {refused.field: str(refused)}


class NumberSeriesForm(RecordForm):
    """A series; seller and kind are fixed once it is there."""

    class Meta:
        model = NumberSeries
        fields = ("billing_entity", "kind", "pattern", "resets_yearly")

    def clean(self) -> dict[str, Any]:
        """Let the service try the change, so that what it refuses stands beside the field."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try_out(self, lambda: self.apply(actor=system("admin form")), _Refusal)
        return cleaned

    def apply(self, *, actor: Any) -> NumberSeries:
        """Save the series by its service."""
        values = self.cleaned_data
        entity = values.get("billing_entity") or self.instance.billing_entity
        try:
            return save_series(
                entity_id=entity.pk,
                kind=NumberSeries.Kind(values.get("kind") or self.instance.kind),
                pattern=values["pattern"],
                resets_yearly=values["resets_yearly"],
                actor=actor,
                now=clock.now(),
            )
        except PatternRefused as refused:
            raise _Refusal(refused) from None


@admin.register(NumberSeries)
class NumberSeriesAdmin(KeptAdmin):
    """One series for each seller and kind of document. A new pattern holds from the next document on."""

    form = NumberSeriesForm
    list_display = ("pattern", "kind", "resets_yearly", "billing_entity", "following")
    list_select_related = ("billing_entity",)
    ordering = ("pattern",)
    fieldsets = ((None, {"fields": (("billing_entity", "kind"), ("pattern", "resets_yearly"), "example")}),)
    readonly_fields = ("example",)

    class Media:
        js = ("squill/number_series.js",)

    @admin.display(description=gettext_lazy("next numbers"))
    def following(self, series: NumberSeries) -> str:
        """Return the number that comes next."""
        return next_texts(series.pattern, last_number=_last(series), year=_year(), count=1)[0]

    @admin.display(description=gettext_lazy("next numbers"))
    def example(self, series: NumberSeries) -> SafeString:
        """Return the next two numbers; they follow the pattern while it is written."""
        last = _last(series) if series.pk else 0
        texts = next_texts(series.pattern, last_number=last, year=_year()) if series.pattern else []
        values = {"last": last, "year": _year(), "texts": texts}
        return mark_safe(render_to_string("admin/billing/number_example.html", values))  # noqa: S308 (a template's)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix whose series it is once it is there."""
        return ("billing_entity", "kind", "example") if obj else ("example",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save by the service, which audits."""
        obj.__dict__.update(form.apply(actor=actor_of(request)).__dict__)


def _year() -> int:
    return clock.now().year


def _last(series: NumberSeries) -> int:
    return last_number(series, year=_year())
