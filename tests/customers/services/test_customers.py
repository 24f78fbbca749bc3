from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from customers.models import AuditEvent, Customer, Subject
from customers.services import CustomerError, archive_customer, create_customer, restore_customer, update_customer
from tests.customers.factories import ACTOR, NOW, CustomerFactory

pytestmark = pytest.mark.django_db


def create(**fields: Any) -> Customer:
    return create_customer(**({"external_id": "acme", "name": "Acme"} | fields), actor=ACTOR, now=NOW)


def update(customer: Customer, **changes: Any) -> Customer:
    return update_customer(customer_id=customer.pk, changes=changes, actor=ACTOR, now=NOW)


def keys_of(customer: Customer) -> list[str]:
    return sorted(customer.subjects.values_list("key", flat=True))


def nothing_written() -> bool:
    return not (Customer.objects.exists() or Subject.objects.exists() or AuditEvent.objects.exists())


def refuse_updates_of_customers_in_use() -> None:
    """Stand in for the triggers of the apps above, whose rows these tests do not know."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TRIGGER in_use BEFORE UPDATE ON customers_customer EXECUTE FUNCTION squill_refuse_change()")


def test_the_external_id_is_always_a_subject() -> None:
    assert keys_of(create(subject_keys=["eu", "us", "eu"])) == ["acme", "eu", "us"]


def test_creating_is_audited_with_every_given_fact() -> None:
    customer = create(tax_rate_pct=Decimal("19.50"), country="de", subject_keys=["eu"])
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.customer, event.at) == ("customer.created", "acme", customer, NOW)
    assert (event.actor_kind, event.actor_label) == ("user", "finance@example.com")
    assert event.before == {}
    assert event.after == {
        "external_id": "acme",
        "name": "Acme",
        "tax_rate_pct": "19.5",
        "country": "DE",
        "subject_keys": ["acme", "eu"],
    }


def test_every_bad_field_is_named_at_once_and_nothing_is_written() -> None:
    with pytest.raises(CustomerError) as refusal:
        create(currency="XXX", timezone="Mars/Olympus", colour="red")
    assert refusal.value.errors == {
        "currency": "Write an ISO 4217 code such as EUR or USD.",
        "timezone": "Write a zone of the IANA database, such as Europe/Berlin or UTC.",
        "colour": "There is no such field.",
    }
    assert nothing_written()


def test_a_taken_external_id_is_refused() -> None:
    create()
    with pytest.raises(CustomerError, match=r"^external_id: The customer acme exists already\.$"):
        create(name="Another")
    assert Customer.objects.get().name == "Acme"
    assert AuditEvent.objects.count() == 1


def test_a_key_of_another_customer_is_refused_with_its_owners_name() -> None:
    CustomerFactory.create(external_id="owner", subject_keys=["shared"])
    with pytest.raises(CustomerError, match=r"^subject_keys: The key 'shared' belongs to the customer owner\.$"):
        create(subject_keys=["shared"])
    assert not Customer.objects.filter(external_id="acme").exists()
    assert not AuditEvent.objects.exists()


def test_an_external_id_that_is_a_key_of_another_customer_is_refused() -> None:
    CustomerFactory.create(external_id="owner", subject_keys=["acme"])
    with pytest.raises(CustomerError, match=r"^external_id: The key 'acme' belongs to the customer owner\.$"):
        create()
    assert not Customer.objects.filter(external_id="acme").exists()


def test_an_update_writes_and_audits_only_what_changed() -> None:
    customer = create(city="Berlin")
    update(customer, name="Acme", city="Bonn", tax_rate_pct=Decimal("7.70"))
    event = AuditEvent.objects.get(action="customer.updated")
    assert event.before == {"city": "Berlin", "tax_rate_pct": None}
    assert event.after == {"city": "Bonn", "tax_rate_pct": "7.7"}
    customer.refresh_from_db()
    assert (customer.name, customer.city, customer.tax_rate_pct) == ("Acme", "Bonn", Decimal("7.7"))


def test_an_update_that_changes_nothing_is_not_audited() -> None:
    customer = create(subject_keys=["eu"])
    update(customer, name="Acme", subject_keys=["eu"])
    assert not AuditEvent.objects.filter(action="customer.updated").exists()


def test_the_external_id_never_changes() -> None:
    customer = create()
    with pytest.raises(CustomerError, match="never changes"):
        update(customer, external_id="other", name="Other")
    customer.refresh_from_db()
    assert (customer.external_id, customer.name) == ("acme", "Acme")


def test_replaced_keys_keep_the_external_id() -> None:
    customer = create(subject_keys=["eu", "us"])
    update(customer, subject_keys=["us", "asia"])
    assert keys_of(customer) == ["acme", "asia", "us"]
    event = AuditEvent.objects.get(action="customer.updated")
    assert (event.before, event.after) == (
        {"subject_keys": ["acme", "eu", "us"]},
        {"subject_keys": ["acme", "asia", "us"]},
    )


def test_an_update_with_a_taken_key_changes_nothing() -> None:
    CustomerFactory.create(external_id="owner", subject_keys=["shared"])
    customer = create(subject_keys=["eu"])
    with pytest.raises(CustomerError, match="belongs to the customer owner"):
        update(customer, city="Bonn", subject_keys=["shared"])
    customer.refresh_from_db()
    assert (customer.city, keys_of(customer)) == ("", ["acme", "eu"])
    assert not AuditEvent.objects.filter(action="customer.updated").exists()


def test_a_currency_in_use_is_refused_at_its_field() -> None:
    customer = create()
    refuse_updates_of_customers_in_use()
    with pytest.raises(CustomerError) as refusal:
        update(customer, currency="USD", timezone="Europe/Paris", city="Bonn")
    fixed = "This is fixed: the customer has subscriptions that depend on it."
    assert refusal.value.errors == {"currency": fixed}
    customer.refresh_from_db()
    assert (customer.currency, customer.timezone, customer.city) == ("EUR", "UTC", "")


def test_archiving_and_restoring_are_audited_once_each() -> None:
    customer = create()
    for _time in range(2):
        archive_customer(customer_id=customer.pk, actor=ACTOR, now=NOW)
    customer.refresh_from_db()
    assert customer.archived_at == NOW
    for _time in range(2):
        restore_customer(customer_id=customer.pk, actor=ACTOR, now=NOW)
    customer.refresh_from_db()
    assert customer.archived_at is None
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["customer.created", "customer.archived", "customer.restored"]


def test_a_customer_that_is_not_there_is_not_updated() -> None:
    with pytest.raises(Customer.DoesNotExist):
        update_customer(customer_id=1, changes={"name": "Acme"}, actor=ACTOR, now=NOW)
