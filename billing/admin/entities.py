"""Who sells, and the counters of its documents."""

from typing import Any
from zoneinfo import available_timezones

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import model_to_dict
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from billing.models import BillingEntity, NumberSeries
from customers import audit
from squill.lib import clock
from squill.web.admin_pages import KeptAdmin, ReadOnlyAdmin, RecordForm, actor_of


class BillingEntityForm(RecordForm):
    """A seller. Which one is the default is not changed here: there is exactly one, and runs rely on it."""

    class Meta:
        model = BillingEntity
        exclude = ("is_default",)

    def clean_timezone(self) -> str:
        """Refuse a name that is no time zone: invoices are dated by it."""
        name: str = self.cleaned_data["timezone"]
        if name not in available_timezones():
            raise ValidationError(gettext_lazy("Write the name of a time zone, such as Europe/Dublin."))
        return name


@admin.register(BillingEntity)
class BillingEntityAdmin(KeptAdmin):
    """What invoices print as their sender. A change shows on the next invoices; the final ones keep their own copy."""

    form = BillingEntityForm
    list_display = ("name", "legal_name", "country", "tax_id", "is_default")
    search_fields = ("name", "legal_name", "code")
    ordering = ("-is_default", "name")
    fieldsets = (
        (None, {"fields": (("code", "name"), "legal_name", "tax_id", "email")}),
        (gettext_lazy("Address"), {"fields": ("address_line1", "address_line2", ("postal_code", "city"), "country")}),
        (gettext_lazy("Bank"), {"fields": ("bank_name", ("iban", "bic"))}),
        (gettext_lazy("Documents"), {"fields": ("timezone", "brand_color", "invoice_footer")}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and put on the trail what was changed; the first entity is the default one."""
        before = {name: form.initial.get(name) for name in form.changed_data} if change else {}
        if not change:
            obj.is_default = not BillingEntity.objects.filter(is_default=True).exists()
        super().save_model(request, obj, form, change)
        after = model_to_dict(obj, fields=form.changed_data)
        audit.record(
            action="billing_entity.updated" if change else "billing_entity.created",
            object_type="billing_entity",
            object_id=obj.code,
            actor=actor_of(request),
            now=clock.now(),
            before=before,
            after=after,
        )


@admin.register(NumberSeries)
class NumberSeriesAdmin(ReadOnlyAdmin):
    """The counters. Only finalisation moves them: a hand on one would make a gap."""

    list_display = ("prefix", "kind", "last_number", "billing_entity")
    list_select_related = ("billing_entity",)
    ordering = ("prefix",)
