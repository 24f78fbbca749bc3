"""The form that starts a subscription. The service tries it first, so that each refusal stands beside its field."""

from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from billing.admin.subscription_pages.days import within
from billing.admin.subscription_pages.quantities import QuantitiesField, quantity_options
from billing.models import Plan, PlanVersion, Subscription
from billing.subscriptions.refusals import SubscriptionError
from billing.subscriptions.services import start_subscription
from customers.models import Customer
from squill.lib import clock
from squill.lib.actor import Actor, system
from squill.web.admin_pages import RecordForm

# The service's members and the fields of the form that hold them.
_FIELDS = {
    "plan": "plan",
    "customer": "customer",
    "external_id": "external_id",
    "starts_at": "starts_on",
    "ends_at": "ends_on",
    "trial_days": "trial_days",
    "quantities": "quantities",
}


class StartForm(RecordForm):
    """A subscription to be started. Days are those of the customer's time zone."""

    starts_on = forms.DateField(label=gettext_lazy("First day"), widget=UnfoldAdminSingleDateWidget)
    ends_on = forms.DateField(
        label=gettext_lazy("Ends on"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=gettext_lazy("The first day that is no longer part of it. Empty: it goes on."),
    )
    trial_days = forms.IntegerField(
        label=gettext_lazy("Days of trial"),
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Empty: as many as the plan has. 0: none."),
    )
    quantities = QuantitiesField(
        label=gettext_lazy("Quantities"),
        required=False,
        help_text=gettext_lazy("Of the plan's fees by quantity. Empty: the plan's default."),
    )
    external_id = forms.CharField(
        label=gettext_lazy("External id"),
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("How your own systems name it; made from customer, plan and day if empty."),
    )

    class Meta:
        model = Subscription
        fields = ("customer", "plan", "external_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "plan" not in self.fields:  # the page of one that is there, which only shows
            return
        sold = PlanVersion.objects.filter(status=PlanVersion.Status.PUBLISHED, plan__kind=Plan.Kind.PLAN)
        plans: Any = self.fields["plan"]
        for one in ("can_add_related", "can_change_related", "can_view_related"):  # plans are built on pages of their own
            setattr(plans.widget, one, False)
        plans.queryset = plans.queryset.filter(Exists(sold.filter(plan=OuterRef("pk")))).order_by("name")
        quantities: Any = self.fields["quantities"]
        quantities.offer(quantity_options(sold))

    def clean(self) -> dict[str, Any]:
        """Let the service try it and take it back, so that what it refuses stands beside the field."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            with transaction.atomic():
                self.apply(actor=system("admin form"), now=clock.now())
                transaction.set_rollback(True)
        except SubscriptionError as refusal:
            self.add_error(_FIELDS.get(refusal.field.partition(".")[0]), refusal.message)
        return cleaned

    def apply(self, *, actor: Actor, now: datetime) -> Subscription:
        """Start it by its service."""
        values = self.cleaned_data
        customer: Customer = values["customer"]
        ends_on = values["ends_on"]
        return start_subscription(
            customer_id=customer.pk,
            plan_code=values["plan"].code,
            starts_at=within(values["starts_on"], customer),
            ends_at=within(ends_on, customer) if ends_on else None,
            external_id=values["external_id"],
            trial_days=values["trial_days"],
            quantities=values["quantities"],
            actor=actor,
            now=now,
        )
