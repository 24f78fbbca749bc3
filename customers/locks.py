"""The one place that locks customers: always the whole row, and several always in the order of their ids."""

from collections.abc import Iterable

from customers.models import Customer


def lock_customer(customer_id: int) -> Customer:
    """
    Return the customer, locked (SELECT … FOR UPDATE) until the transaction ends.

    :raises Customer.DoesNotExist: if there is none
    :raises TransactionManagementError: outside of a transaction
    """
    return Customer.objects.select_for_update(of=("self",)).get(pk=customer_id)


def lock_customers(customer_ids: Iterable[int]) -> list[Customer]:
    """
    Return the customers in the order of their ids, locked in that order until the transaction ends.

    Ids that are of no customer are left out.
    """
    return list(Customer.objects.select_for_update(of=("self",)).filter(pk__in=list(customer_ids)).order_by("pk"))
