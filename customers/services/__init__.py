"""Every change of a customer: checked, in one transaction, and on the audit trail (I9)."""

from customers.services.customers import archive_customer, create_customer, restore_customer, update_customer
from customers.services.rules import CustomerError

__all__ = ["CustomerError", "archive_customer", "create_customer", "restore_customer", "update_customer"]
