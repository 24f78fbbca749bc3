"""How one customer is billed: a form on its page, saved by its service."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from billing.invoicing.profiles import MEMBERS
from billing.models import BillingEntity, BillingProfile

_WHO_FINALIZES: Final = [
    ("", gettext_lazy("as the billing entity says")),
    ("yes", gettext_lazy("by themselves")),
    ("no", gettext_lazy("by a person")),
]


class BillingTermsForm(forms.Form):
    """The members of a billing profile; what is empty follows the billing entity."""

    billing_entity = forms.ModelChoiceField(
        label=gettext_lazy("Billing entity"),
        queryset=BillingEntity.objects.order_by("name"),
        to_field_name="code",
        required=False,
        widget=UnfoldAdminSelectWidget,
        empty_label=gettext_lazy("the default one"),
        help_text=gettext_lazy("Bills from the next draft on; invoices that are there keep theirs."),
    )
    finalizes_by_itself = forms.ChoiceField(
        label=gettext_lazy("Drafts are made final"), choices=_WHO_FINALIZES, required=False, widget=UnfoldAdminSelectWidget
    )
    grace_minutes = forms.IntegerField(
        label=gettext_lazy("Grace period in minutes"),
        required=False,
        min_value=0,
        max_value=60 * 24 * 60,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("How long drafts wait for late usage. Empty: as the billing entity says."),
    )
    tax_exemption_reason = forms.CharField(
        label=gettext_lazy("Reason of a tax exemption"),
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Empty: not exempt. Printed on invoices."),
    )
    tax_exemption_code = forms.CharField(
        label=gettext_lazy("Exemption code"), required=False, max_length=32, widget=UnfoldAdminTextInputWidget
    )
    buyer_reference = forms.CharField(
        label=gettext_lazy("Buyer reference"), required=False, max_length=64, widget=UnfoldAdminTextInputWidget
    )
    reminders_paused = forms.BooleanField(label=gettext_lazy("Gets no reminders"), required=False, widget=UnfoldBooleanWidget)


def as_initial(profile: BillingProfile) -> dict[str, Any]:
    """Return a profile as the form shows it."""
    words = {None: "", True: "yes", False: "no"}
    shown = {name: getattr(profile, name) for name in MEMBERS}
    return shown | {"finalizes_by_itself": words[profile.finalizes_by_itself]}


def as_changes(values: dict[str, Any]) -> dict[str, Any]:
    """Return what the form holds as change_billing takes it."""
    entity = values["billing_entity"]
    decided = {"": None, "yes": True, "no": False}[values["finalizes_by_itself"]]
    return values | {"billing_entity": None if entity is None else entity.code, "finalizes_by_itself": decided}
