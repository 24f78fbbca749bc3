"""Customers in the finance desk. Saving goes through the services, so that rules and audit hold here as everywhere."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextareaWidget

from customers.models import Customer, PortalUser
from customers.services import CustomerError, archive_customer, create_customer, restore_customer, update_customer
from squill.lib import clock
from squill.lib.actor import Actor, system
from squill.web.admin_pages import KeptAdmin, ReadOnlyInline, RecordForm, actor_of, confirmed, detail_action, try_out


class CustomerForm(RecordForm):
    """A customer with its keys in events, one a line."""

    subject_keys = forms.CharField(
        label=gettext_lazy("Keys"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=gettext_lazy("By which events name the customer, one a line. The external id is always one of them."),
    )

    class Meta:
        model = Customer
        exclude: ClassVar[list[str]] = ["created_at", "archived_at"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            keys = self.instance.subjects.exclude(key=self.instance.external_id).order_by("key")
            self.initial["subject_keys"] = "\n".join(keys.values_list("key", flat=True))

    def clean(self) -> dict[str, Any]:
        """Let the service try the change, so that what it refuses stands beside the field."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try_out(self, lambda: self.apply(actor=system("admin form"), now=clock.now()), CustomerError)
        return cleaned

    def apply(self, *, actor: Actor, now: datetime) -> Customer:
        """Create or change the customer by its service."""
        values = {field: value for field, value in self.cleaned_data.items() if field != "subject_keys"}
        keys = self.cleaned_data["subject_keys"].split("\n")
        values["subject_keys"] = [key.strip() for key in keys if key.strip()]
        if self.instance.pk:
            return update_customer(customer_id=self.instance.pk, changes=values, actor=actor, now=now)
        return create_customer(**values, actor=actor, now=now)


class PortalUserInline(ReadOnlyInline):
    model = PortalUser
    fields = ("user", "created_at")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("people with portal access")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the people with their names, in one query."""
        return super().get_queryset(request).select_related("user")


@admin.register(Customer)
class CustomerAdmin(KeptAdmin):
    """Find, create, change, archive and restore customers."""

    form = CustomerForm
    list_display = ("name", "external_id", "email", "country", "currency", "timezone", "is_active")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), "currency", "country")
    search_fields = ("name", "external_id", "email", "legal_name")
    ordering = ("name",)
    inlines = (PortalUserInline,)
    actions_detail = ("archive", "restore")
    fieldsets = (
        (None, {"fields": ("external_id", "name", "legal_name", "email")}),
        (gettext_lazy("Keys in events"), {"fields": ("subject_keys",)}),
        (gettext_lazy("Billing"), {"fields": (("currency", "timezone"), ("locale", "payment_terms_days"), "purchase_order")}),
        (gettext_lazy("Address"), {"fields": ("address_line1", "address_line2", ("postal_code", "city"), ("region", "country"))}),
        (
            gettext_lazy("Tax"),
            {
                "fields": (("tax_id", "tax_rate_pct"),),
                "description": gettext_lazy("Address and tax id decide the tax. A rate here goes before all rules."),
            },
        ),
    )

    @admin.display(description=gettext_lazy("active"), boolean=True, ordering="archived_at")
    def is_active(self, customer: Customer) -> bool:
        """Say whether the customer is in the lists."""
        return customer.archived_at is None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fix the external id once there is a customer."""
        return ("external_id", "created_at", "archived_at") if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show when it was made and archived, once it is."""
        dates = (gettext_lazy("History"), {"fields": (("created_at", "archived_at"),)})
        return (*self.fieldsets, dates) if obj else self.fieldsets

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save by the service, which audits."""
        customer = form.apply(actor=actor_of(request), now=clock.now())
        obj.__dict__.update(customer.__dict__)

    @detail_action(title=gettext_lazy("Archive"), path="archive", icon="archive")
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then put the customer out of the lists."""
        customer = get_object_or_404(Customer, pk=object_id)
        return confirmed(
            self,
            request,
            customer,
            title=_("Archive"),
            question=_("Archive %(customer)s? Nothing is lost; subscriptions go on until they are cancelled.")
            % {"customer": customer},
            run=lambda: _archive(customer, request),
            done=_("%(customer)s is archived.") % {"customer": customer},
        )

    @detail_action(title=gettext_lazy("Restore"), path="restore", icon="unarchive")
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then bring the customer back into the lists."""
        customer = get_object_or_404(Customer, pk=object_id)
        return confirmed(
            self,
            request,
            customer,
            title=_("Restore"),
            question=_("Bring %(customer)s back into the lists?") % {"customer": customer},
            run=lambda: _restore(customer, request),
            done=_("%(customer)s is back.") % {"customer": customer},
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer archiving or restoring, whichever applies."""
        archived = Customer.objects.filter(pk=object_id, archived_at__isnull=False).exists()
        unwanted = "archive" if archived else "restore"
        offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc] # Unfold's
        return [one for one in offered if not one.action_name.endswith(f"_{unwanted}")]


def _archive(customer: Customer, request: HttpRequest) -> None:
    archive_customer(customer_id=customer.pk, actor=actor_of(request), now=clock.now())


def _restore(customer: Customer, request: HttpRequest) -> None:
    restore_customer(customer_id=customer.pk, actor=actor_of(request), now=clock.now())
