"""The pages of the finance desk about HOW MUCH MONEY. Importing this package registers them."""

from billing.admin import (
    coupons,
    credit_notes,
    credits,
    customers,
    deliveries,
    entities,
    invoices,
    number_series,
    payments,
    plan_versions,
    plans,
    runs,
    subscriptions,
    taxes,
)

__all__ = [
    "coupons",
    "credit_notes",
    "credits",
    "customers",
    "deliveries",
    "entities",
    "invoices",
    "number_series",
    "payments",
    "plan_versions",
    "plans",
    "runs",
    "subscriptions",
    "taxes",
]
