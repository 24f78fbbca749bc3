"""Who sells: what documents print of it, and how its drafts become final."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.forms import model_to_dict
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanWidget

from billing.admin.accounting import AccountingActions
from billing.admin.reminder_days import ReminderDaysField
from billing.invoicing.logo_files import LARGEST_BYTES, LogoRefused
from billing.invoicing.logos import check_logo, keep_logo
from billing.invoicing.snapshotting import URL_PLACEHOLDERS
from billing.models import BillingEntity
from billing.tax.vat_ids import VatIdError, check
from customers import audit
from squill.lib import clock
from squill.web.admin_pages import KeptAdmin, RecordForm, actor_of


class BillingEntityForm(RecordForm):
    """A seller. Which one is the default is not changed here: there is exactly one, and runs rely on it."""

    reminder_days = ReminderDaysField()
    logo_file = forms.FileField(
        label=gettext_lazy("Logo"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".svg,.png"}),
        help_text=gettext_lazy("SVG or PNG, at most 256 KiB. Documents that are final keep the one that they had."),
    )
    removes_logo = forms.BooleanField(label=gettext_lazy("No logo"), required=False, widget=UnfoldBooleanWidget)

    class Meta:
        model = BillingEntity
        exclude = ("is_default", "logo")

    def clean_logo_file(self) -> bytes | None:
        """Read the picture, and refuse what could do more than be drawn."""
        upload = self.cleaned_data["logo_file"]
        if upload is None:
            return None
        content: bytes = upload.read(LARGEST_BYTES + 1)
        try:
            check_logo(content)
        except LogoRefused as refused:
            raise ValidationError(str(refused)) from None
        return content

    def clean_timezone(self) -> str:
        """Refuse a name that is no time zone: invoices are dated by it."""
        name: str = self.cleaned_data["timezone"]
        if name not in available_timezones():
            raise ValidationError(gettext_lazy("Write the name of a time zone, such as Europe/Dublin."))
        return name

    def clean_payment_url_template(self) -> str:
        """Refuse a link that no customer could follow, or with a placeholder that nothing fills in."""
        template: str = self.cleaned_data["payment_url_template"]
        if not template:
            return ""
        link = template
        for name in URL_PLACEHOLDERS:
            link = link.replace(name, "1")
        try:
            URLValidator(schemes=["https", "http"])(link)
        except ValidationError:
            raise ValidationError(gettext_lazy("Write the address of a page, such as https://pay.example/{number}.")) from None
        if "{" in link or "}" in link:
            words = gettext_lazy("Only {number}, {amount} and {currency} are filled in: write no other braces.")
            raise ValidationError(words)
        return template

    def clean(self) -> dict[str, Any]:
        """Refuse a VAT id with a typing mistake: it would stand on every invoice. A national tax number is no VAT id."""
        cleaned = super().clean() or self.cleaned_data
        country, number = cleaned.get("country", ""), cleaned.get("tax_id", "")
        if number[:2].isalpha():
            try:
                check(country, number)
            except VatIdError as error:
                self.add_error("tax_id", str(error))
        return cleaned


@admin.register(BillingEntity)
class BillingEntityAdmin(AccountingActions, KeptAdmin):
    """What invoices print as their sender. A change shows on the next invoices; the final ones keep their own copy."""

    form = BillingEntityForm
    actions_detail = ("export",)
    list_display = ("name", "legal_name", "country", "tax_id", "is_default")
    search_fields = ("name", "legal_name", "code")
    ordering = ("-is_default", "name")
    fieldsets = (
        (None, {"fields": (("code", "name"), "legal_name", ("tax_id", "registration"), "email")}),
        (gettext_lazy("Address"), {"fields": ("address_line1", "address_line2", ("postal_code", "city"), ("region", "country"))}),
        (gettext_lazy("Bank"), {"fields": ("bank_name", ("iban", "bic"))}),
        (gettext_lazy("Documents"), {"fields": ("timezone", ("logo_file", "removes_logo"), "brand_color", "invoice_footer")}),
        (gettext_lazy("Payments"), {"fields": ("payment_url_template",)}),
        (gettext_lazy("Drafts"), {"fields": (("finalizes_by_itself", "grace_minutes"),)}),
        (gettext_lazy("Mail"), {"fields": ("reminder_days", "sends_receipts")}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and put on the trail what was changed; the first entity is the default one."""
        before = {name: form.initial.get(name) for name in form.changed_data} if change else {}
        if not change:
            obj.is_default = not BillingEntity.objects.filter(is_default=True).exists()
        if form.cleaned_data.get("logo_file"):
            obj.logo = keep_logo(content=form.cleaned_data["logo_file"], now=clock.now())
        elif form.cleaned_data.get("removes_logo"):
            obj.logo = None
        super().save_model(request, obj, form, change)
        after = model_to_dict(obj, fields=form.changed_data)
        if before.keys() & {"logo_file", "removes_logo"} or "logo_file" in form.changed_data:
            before = {name: value for name, value in before.items() if name not in {"logo_file", "removes_logo"}}
            after["logo"] = obj.logo.sha256 if obj.logo else None
        audit.record(
            action="billing_entity.updated" if change else "billing_entity.created",
            object_type="billing_entity",
            object_id=obj.code,
            actor=actor_of(request),
            now=clock.now(),
            before=before,
            after=after,
        )
