"""The pages of the finance desk about HOW MUCH MONEY. Importing this package registers them."""

from billing.admin import customers, entities, invoices, plan_versions, plans, records, runs, subscriptions

__all__ = ["customers", "entities", "invoices", "plan_versions", "plans", "records", "runs", "subscriptions"]
