import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from customers.locks import lock_customer, lock_customers
from customers.models import Customer
from tests.customers.factories import CustomerFactory


@pytest.mark.django_db
def test_customers_are_locked_in_the_order_of_their_ids() -> None:
    first, second = CustomerFactory.create(), CustomerFactory.create()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        locked = lock_customers([second.pk, first.pk, 0])
    assert locked == [first, second]
    assert "ORDER BY" in queries[0]["sql"]
    assert "FOR NO KEY UPDATE" in queries[0]["sql"]


@pytest.mark.django_db
def test_a_customer_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(Customer.DoesNotExist):
        lock_customer(0)


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_of_a_transaction_is_refused() -> None:
    customer = CustomerFactory.create()
    with pytest.raises(TransactionManagementError):
        lock_customer(customer.pk)
    with transaction.atomic():
        assert lock_customer(customer.pk) == customer
