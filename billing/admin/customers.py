"""
The customer's page with what billing knows: balance, usage, subscriptions, invoices, story.

The page itself belongs to customers, which cannot know billing; so billing registers it anew with more on it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.admin.asking import asked, posted
from billing.admin.billing_terms import BillingTermsForm, as_changes, as_initial
from billing.admin.customer_reductions import CreditInline, HeldCouponInline, ReductionActions
from billing.admin.customer_tax import tax_box
from billing.admin.delivery_rows import suppression_notice
from billing.admin.payment_actions import CustomerMoneyActions
from billing.admin.shown import STANDING_COLORS, badge, day, link, money
from billing.admin.story import story_of
from billing.invoicing.composing import ComposedInvoice
from billing.invoicing.paying.balances import customer_balance
from billing.invoicing.preview import upcoming_invoices
from billing.invoicing.profiles import ProfileError, billing_profile, change_billing
from billing.invoicing.standing import receivables, standing
from billing.models import Invoice, Subscription, SubscriptionClaim
from customers.admin.customers import CustomerAdmin, PortalUserInline
from customers.models import AuditEvent, Customer
from squill.lib import clock
from squill.lib.refusal import Refused
from squill.web.admin_pages import ReadOnlyInline, actor_of, detail_action
from squill.web.charts import DayChart
from usage.models import Meter
from usage.selectors import daily_quantities

_DAYS_SHOWN = 60
_METERS_SHOWN = 6
_STORY = 8


class SubscriptionInline(ReadOnlyInline):
    """What the customer is on."""

    model = Subscription
    fields = ("name", "started_on", "ended_on", "external_id")
    readonly_fields = fields
    ordering = ("-started_on", "pk")
    show_title = False
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the subscriptions with their plans, in one query."""
        return super().get_queryset(request).select_related("customer", "plan", "plan_version__plan")

    @admin.display(description=gettext_lazy("plan"))
    def name(self, subscription: Subscription) -> SafeString:
        """Return the way to the subscription."""
        return link("billing_subscription", subscription.pk, subscription.plan_version)


class InvoiceInline(ReadOnlyInline):
    """What the customer was billed, newest first."""

    model = Invoice
    fields = ("name", "state", "issued", "due", "amount", "left")
    readonly_fields = fields
    ordering = ("-issued_on", "-pk")
    show_title = False
    show_change_link = False
    per_page = 24

    @admin.display(description=gettext_lazy("number"))
    def name(self, invoice: Invoice) -> SafeString:
        """Return the way to the invoice."""
        return link("billing_invoice", invoice.pk, invoice)

    @admin.display(description=gettext_lazy("status"))
    def state(self, invoice: Invoice) -> SafeString:
        """Return where the invoice stands as a coloured label."""
        stands = standing(invoice, today=clock.now().date())
        return badge(stands.label, STANDING_COLORS[stands.value])

    @admin.display(description=gettext_lazy("issued"))
    def issued(self, invoice: Invoice) -> str:
        """Return the day on it."""
        return day(invoice.issued_on)

    @admin.display(description=gettext_lazy("due"))
    def due(self, invoice: Invoice) -> str:
        """Return the last day to pay it."""
        return day(invoice.due_on)

    @admin.display(description=gettext_lazy("amount"))
    def amount(self, invoice: Invoice) -> str:
        """Return what is due with its currency."""
        return money(invoice.due_minor, invoice.currency)

    @admin.display(description=gettext_lazy("left to pay"))
    def left(self, invoice: Invoice) -> str:
        """Return what has not come in yet."""
        is_open = invoice.status == Invoice.Status.FINALIZED
        return money(invoice.left_minor, invoice.currency) if is_open else "–"


admin.site.unregister(Customer)


@admin.register(Customer)
class BilledCustomerAdmin(CustomerMoneyActions, ReductionActions, CustomerAdmin):
    """The page of customers, with their books on it."""

    inlines = (SubscriptionInline, InvoiceInline, HeldCouponInline, CreditInline, PortalUserInline)  # type: ignore[assignment]
    actions_detail = (  # type: ignore[assignment] # Unfold's menus
        "record_payment",
        "billing_terms",
        *CustomerAdmin.actions_detail,
        {
            "title": gettext_lazy("Coupons and credits"),
            "icon": "loyalty",
            "items": ["redeem_coupon", "take_away_coupon", "grant_credit", "void_credit"],
        },
    )
    change_form_outer_before_template = "admin/billing/customer_books.html"

    class Media:
        css = {"all": ("squill/desk.css",)}

    @detail_action(title=gettext_lazy("How it is billed"), path="billing-terms", icon="tune")
    def billing_terms(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show by whom and how the customer is billed, and change it."""
        customer = get_object_or_404(Customer, pk=object_id)

        def run(values: Mapping[str, Any]) -> str:
            change_billing(customer_id=customer.pk, changes=as_changes(dict(values)), actor=actor_of(request), now=clock.now())
            return _("%(customer)s is billed so from the next draft on.") % {"customer": customer}

        return asked(
            self,
            request,
            customer,
            title=_("How it is billed"),
            question=_("How is %(customer)s billed, where that differs from its billing entity?") % {"customer": customer},
            form=BillingTermsForm(posted(request), initial=as_initial(billing_profile(customer.pk))),
            run=run,
            refusals=(ProfileError,),
        )

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Show nothing of billing while the customer is being made."""
        return self.inlines if obj else ()

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "", obj: Any = None
    ) -> HttpResponse:
        """Add the books to those who may see invoices."""
        if obj is not None and request.user.has_perm("billing.view_invoice"):
            context = context | {"books": customer_books(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)


def customer_books(customer: Customer) -> dict[str, Any]:
    """Return balance, spend so far, usage by day and story. About six queries a running subscription, and eleven more."""
    now = clock.now()
    balance = next(iter(receivables(today=now.date(), customer_id=customer.pk)), None)
    composed = _upcoming(customer, now)
    spend = sum(one.totals.due_minor for one in composed)
    invoices = f"{reverse('admin:billing_invoice_changelist')}?customer={customer.pk}"
    return {
        "open": money(balance.open_minor if balance else 0, customer.currency),
        "open_count": balance.open_count if balance else 0,
        "overdue": money(balance.overdue_minor, customer.currency) if balance and balance.overdue_count else "",
        "spend": money(spend, customer.currency) if composed else "–",
        "balance": " + ".join(
            money(each.payments_minor + each.credits_minor, each.currency)
            for each in customer_balance(customer_id=customer.pk, at=now)
            if each.payments_minor or each.credits_minor
        ),
        "subscriptions": Subscription.objects.filter(customer=customer, ends_at__isnull=True).count(),
        "has_unpriced": any(one.rated.unpriced for one in composed),
        "invoices_url": invoices,
        "tax": tax_box(customer, now=now),
        "charts": _charts(customer),
        "suppressed": suppression_notice(customer.email),
        "story": story_of(
            AuditEvent.objects.filter(customer=customer).order_by("-at", "-pk")[:_STORY], currency=customer.currency
        ),
    }


def _upcoming(customer: Customer, now: datetime) -> list[ComposedInvoice]:
    try:
        return upcoming_invoices(customer, now=now)
    except Refused:  # the tax is not known, and its box says why
        return []


def _charts(customer: Customer) -> list[DayChart]:
    """Draw the last sixty days of each meter that the customer has used in them; those that are priced first."""
    end_day = clock.now().astimezone(ZoneInfo(customer.timezone)).date() + timedelta(days=1)
    first_day = end_day - timedelta(days=_DAYS_SHOWN)
    used = Meter.objects.filter(pk__in=_metered(customer)).order_by("name", "pk")[:_METERS_SHOWN]
    charts = []
    for meter in used:
        values = daily_quantities(customer_id=customer.pk, meter=meter, first_day=first_day, end_day=end_day)
        title = _("%(meter)s per day, the last %(days)d days") % {"meter": meter.name, "days": _DAYS_SHOWN}
        chart = DayChart(title=title, first_day=first_day, values=tuple(value for _day, value in values), unit=meter.unit)
        if chart.is_worth_drawing:
            charts.append(chart)
    return charts


def _metered(customer: Customer) -> Any:
    return SubscriptionClaim.objects.filter(customer=customer, meter__isnull=False).values("meter_id")
