from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.models import AuditEvent, Customer
from tests.customers.factories import CustomerFactory, staff

pytestmark = pytest.mark.django_db

FORM = {
    "external_id": "acme",
    "name": "Acme",
    "legal_name": "",
    "email": "billing@acme.example",
    "subject_keys": "acme-eu\r\nacme-us\r\n\r\n",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "locale": "de",
    "payment_terms_days": "30",
    "purchase_order": "",
    "address_line1": "",
    "address_line2": "",
    "postal_code": "",
    "city": "Berlin",
    "region": "",
    "country": "DE",
    "tax_id": "",
    "tax_rate_pct": "19",
}


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(staff("finance@example.com"))
    return client


def posted(desk: Client, path: str, form: dict[str, str]) -> Any:
    """Post the form with what its page adds for the tables below it, whichever apps put them there."""
    counts: dict[str, str] = {}
    for inline in desk.get(path).context["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        counts |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return desk.post(path, form | counts)


def keys_of(customer: Customer) -> list[str]:
    return sorted(customer.subjects.values_list("key", flat=True))


def form_errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    errors: dict[str, list[str]] = answer.context["adminform"].form.errors
    return errors


def test_a_new_customer_is_made_by_the_service(desk: Client) -> None:
    answer = posted(desk, "/admin/customers/customer/add/", FORM)
    customer = Customer.objects.get()
    assert answer.headers["Location"] == "/admin/customers/customer/"
    assert (customer.external_id, customer.tax_rate_pct, keys_of(customer)) == (
        "acme",
        Decimal(19),
        ["acme", "acme-eu", "acme-us"],
    )
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_kind, event.actor_label) == ("customer.created", "user", "finance@example.com")


def test_an_empty_tax_rate_is_left_to_the_rules(desk: Client) -> None:
    posted(desk, "/admin/customers/customer/add/", FORM | {"tax_rate_pct": ""})
    assert Customer.objects.get().tax_rate_pct is None


def test_a_change_is_made_by_the_service(desk: Client) -> None:
    posted(desk, "/admin/customers/customer/add/", FORM)
    customer = Customer.objects.get()
    changed = {**FORM, "city": "Bonn", "subject_keys": "acme-us"}
    posted(desk, f"/admin/customers/customer/{customer.pk}/change/", changed)
    customer.refresh_from_db()
    assert (customer.city, keys_of(customer)) == ("Bonn", ["acme", "acme-us"])
    event = AuditEvent.objects.get(action="customer.updated")
    assert event.before == {"city": "Berlin", "subject_keys": ["acme", "acme-eu", "acme-us"]}


def test_the_external_id_of_a_customer_cannot_be_posted(desk: Client) -> None:
    customer = CustomerFactory.create(external_id="acme")
    posted(desk, f"/admin/customers/customer/{customer.pk}/change/", {**FORM, "external_id": "other"})
    customer.refresh_from_db()
    assert (customer.external_id, customer.name) == ("acme", "Acme")


def test_what_the_service_refuses_stands_beside_the_field(desk: Client) -> None:
    CustomerFactory.create(external_id="owner", subject_keys=["acme-eu"])
    taken = posted(desk, "/admin/customers/customer/add/", FORM)
    assert form_errors(taken) == {"subject_keys": ["The key 'acme-eu' belongs to the customer owner."]}
    wrong = posted(desk, "/admin/customers/customer/add/", {**FORM, "currency": "XXX", "timezone": "Mars"})
    assert form_errors(wrong) == {
        "currency": ["Write an ISO 4217 code such as EUR or USD."],
        "timezone": ["Write a zone of the IANA database, such as Europe/Berlin or UTC."],
    }
    assert not Customer.objects.filter(external_id="acme").exists()
    assert not AuditEvent.objects.exists()


def test_archiving_asks_first_and_can_be_undone(desk: Client) -> None:
    customer = CustomerFactory.create()
    page, archive = f"/admin/customers/customer/{customer.pk}/change/", f"/admin/customers/customer/{customer.pk}/archive/"
    assert archive in desk.get(page).content.decode()

    asked = desk.get(archive)
    assert f"Archive {customer.name}?" in asked.content.decode()
    customer.refresh_from_db()
    assert customer.archived_at is None

    done = desk.post(archive)
    assert done.headers["Location"] == page
    customer.refresh_from_db()
    assert customer.archived_at is not None
    shown = desk.get(page).content.decode()
    assert f"{customer.name} is archived." in shown
    assert archive not in shown

    desk.post(f"/admin/customers/customer/{customer.pk}/restore/")
    customer.refresh_from_db()
    assert customer.archived_at is None
    actions = AuditEvent.objects.order_by("id").values_list("action", "actor_label")
    assert list(actions) == [("customer.archived", "finance@example.com"), ("customer.restored", "finance@example.com")]


def test_archiving_needs_the_permission(client: Client) -> None:
    customer = CustomerFactory.create()
    clerk = staff("clerk@example.com")
    clerk.is_superuser = False
    clerk.save()
    client.force_login(clerk)
    assert client.post(f"/admin/customers/customer/{customer.pk}/archive/").status_code == 403
    customer.refresh_from_db()
    assert customer.archived_at is None
