"""The pages of the finance desk about WHO. Importing this package registers them."""

from customers.admin import api_keys, audit, customers, portal_users, users

__all__ = ["api_keys", "audit", "customers", "portal_users", "users"]
