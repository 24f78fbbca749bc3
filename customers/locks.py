"""
The one place that locks customers: always the whole row, and several always in the order of their ids.

Not the key of the row: what only refers to a customer, such as an audit event, need not wait. It may come from a transaction
that keeps time zones still, for which the one that changes a zone waits with the customer locked.
"""

from collections.abc import Iterable

from customers.models import Customer


def lock_customer(customer_id: int) -> Customer:
    """
    Return the customer, locked (SELECT … FOR NO KEY UPDATE) until the transaction ends.

    :raises Customer.DoesNotExist: if there is none
    :raises TransactionManagementError: outside of a transaction
    """
    return Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer_id)


def lock_customers(customer_ids: Iterable[int]) -> list[Customer]:
    """
    Return the customers in the order of their ids, locked in that order until the transaction ends.

    Ids that are of no customer are left out.
    """
    return list(Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=list(customer_ids)).order_by("pk"))
