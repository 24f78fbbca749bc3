"""The tables of WHO. One aggregate a file; rules are in the services, integrity is in constraints."""

from customers.models.api_key import ApiKey, Scope
from customers.models.audit import AuditEvent
from customers.models.customer import Customer, Subject
from customers.models.portal_user import PortalUser
from customers.models.user import User

__all__ = ["ApiKey", "AuditEvent", "Customer", "PortalUser", "Scope", "Subject", "User"]
