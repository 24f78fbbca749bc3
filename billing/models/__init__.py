"""The tables of HOW MUCH MONEY. One aggregate a file; rules are in the services, integrity is in constraints and triggers."""

from billing.models.billing_entity import BillingEntity, NumberSeries
from billing.models.delivery import Delivery, InvoiceDocument
from billing.models.invoice import Invoice, InvoiceLine, InvoiceTax
from billing.models.payment import Payment
from billing.models.plan import Charge, Plan, PlanVersion
from billing.models.run import BillingRun
from billing.models.subscription import BillingPeriod, Subscription, SubscriptionChange, SubscriptionClaim

__all__ = [
    "BillingEntity",
    "BillingPeriod",
    "BillingRun",
    "Charge",
    "Delivery",
    "Invoice",
    "InvoiceDocument",
    "InvoiceLine",
    "InvoiceTax",
    "NumberSeries",
    "Payment",
    "Plan",
    "PlanVersion",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionClaim",
]
