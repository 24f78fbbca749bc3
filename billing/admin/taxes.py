"""Rates and registrations: what the tax engine cannot know by itself, each with the day from which it holds."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from billing.models import TaxRate, TaxRegistration
from billing.tax.entering import TaxEntryError, save_tax_rate, save_tax_registration
from squill.lib import clock
from squill.lib.actor import Actor, system
from squill.web.admin_pages import KeptAdmin, RecordForm, actor_of, try_out


class _EnteredForm(RecordForm):
    """A form whose row is written by a service, which says what is wrong, too."""

    def clean(self) -> dict[str, Any]:
        """Let the service try it, so that what it refuses stands beside the field."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try_out(self, lambda: self.apply(actor=system("admin form"), now=clock.now()), TaxEntryError)
        return cleaned

    def validate_constraints(self) -> None:
        """Leave the constraints to the service: it has words for them."""

    def validate_unique(self) -> None:
        """Leave what must be unique to the service."""

    def apply(self, *, actor: Actor, now: datetime) -> Any:
        """Write the row by its service."""
        raise NotImplementedError


class TaxRateForm(_EnteredForm):
    """A rate."""

    class Meta:
        model = TaxRate
        fields = ("country", "region", "tax_class", "rate_pct", "label", "valid_from", "valid_until")

    def apply(self, *, actor: Actor, now: datetime) -> TaxRate:
        """Write the rate."""
        return save_tax_rate(facts=self.cleaned_data, actor=actor, now=now, rate_id=self.instance.pk)


class TaxRegistrationForm(_EnteredForm):
    """A registration."""

    class Meta:
        model = TaxRegistration
        fields = ("billing_entity", "country", "region", "tax_id", "is_one_stop_shop", "valid_from", "valid_until")

    def apply(self, *, actor: Actor, now: datetime) -> TaxRegistration:
        """Write the registration."""
        facts = {name: value for name, value in self.cleaned_data.items() if name != "billing_entity"}
        entity = self.cleaned_data["billing_entity"]
        return save_tax_registration(entity=entity, facts=facts, actor=actor, now=now, registration_id=self.instance.pk)


class _EnteredAdmin(KeptAdmin):
    """Rows that are ended by a day, never deleted."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save by the service, which audits."""
        saved = form.apply(actor=actor_of(request), now=clock.now())
        obj.__dict__.update(saved.__dict__)


@admin.register(TaxRate)
class TaxRateAdmin(_EnteredAdmin):
    """Rates that go before those that Squill knows: of other countries, of states, and of classes of one's own."""

    form = TaxRateForm
    list_display = ("country", "region", "tax_class", "rate_pct", "label", "valid_from", "valid_until")
    list_filter = ("country", "tax_class")
    search_fields = ("country", "region", "tax_class", "label")
    ordering = ("country", "region", "tax_class", "-valid_from")
    fieldsets = (
        (
            None,
            {
                "fields": (("country", "region"), ("tax_class", "rate_pct"), "label"),
                "description": gettext_lazy(
                    "Standard rates of the EU, the United Kingdom, Switzerland and Norway are known. Enter all others."
                ),
            },
        ),
        (gettext_lazy("Days"), {"fields": (("valid_from", "valid_until"),)}),
    )


@admin.register(TaxRegistration)
class TaxRegistrationAdmin(_EnteredAdmin):
    """Where the sellers charge tax besides the country of their own tax id."""

    form = TaxRegistrationForm
    list_display = ("billing_entity", "country", "region", "tax_id", "is_one_stop_shop", "valid_from", "valid_until")
    list_select_related = ("billing_entity",)
    list_filter = ("billing_entity", "country")
    search_fields = ("country", "region", "tax_id")
    ordering = ("billing_entity", "country", "region", "-valid_from")
    fieldsets = (
        (
            None,
            {
                "fields": ("billing_entity", ("country", "region"), "tax_id", "is_one_stop_shop"),
                "description": gettext_lazy(
                    "At home the tax id of the billing entity counts. In the United States only states entered here do."
                ),
            },
        ),
        (gettext_lazy("Days"), {"fields": (("valid_from", "valid_until"),)}),
    )
