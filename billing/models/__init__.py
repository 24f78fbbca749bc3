"""The tables of HOW MUCH MONEY. One aggregate a file; rules are in the services, integrity is in constraints and triggers."""

from billing.models.billing_entity import BillingEntity, BrandAsset, NumberCounter, NumberSeries
from billing.models.billing_profile import BillingProfile
from billing.models.coupon import Coupon, CouponRedemption
from billing.models.credit import Credit, CreditEntry
from billing.models.credit_note import CreditNote, CreditNoteLine, CreditNoteTax
from billing.models.delivery import Delivery, Document, MailReport, SuppressedAddress
from billing.models.invoice import Invoice, InvoiceDiscount, InvoiceLine, InvoiceTax
from billing.models.payment import Payment, PaymentAllocation
from billing.models.plan import Charge, Plan, PlanVersion
from billing.models.run import BillingChunk, BillingRun
from billing.models.subscription import BillingPeriod, Subscription, SubscriptionChange, SubscriptionClaim
from billing.models.tax import TaxRate, TaxRegistration

__all__ = [
    "BillingChunk",
    "BillingEntity",
    "BillingPeriod",
    "BillingProfile",
    "BillingRun",
    "BrandAsset",
    "Charge",
    "Coupon",
    "CouponRedemption",
    "Credit",
    "CreditEntry",
    "CreditNote",
    "CreditNoteLine",
    "CreditNoteTax",
    "Delivery",
    "Document",
    "Invoice",
    "InvoiceDiscount",
    "InvoiceLine",
    "InvoiceTax",
    "MailReport",
    "NumberCounter",
    "NumberSeries",
    "Payment",
    "PaymentAllocation",
    "Plan",
    "PlanVersion",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionClaim",
    "SuppressedAddress",
    "TaxRate",
    "TaxRegistration",
]
