import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import AuditEvent, User
from tests.billing.desks import small_books

pytestmark = pytest.mark.django_db


def test_the_page_of_a_customer_has_its_books(desk: Client) -> None:
    customer = small_books()
    page = desk.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    # 30.00 are open and not overdue yet; 18.00 are the estimate of February.
    for text in ("€30.00", "€18.00", "INV-000001", "Basic v1", "Calls per day, the last 60 days", "Invoice finalised"):
        assert text in page, text


def test_the_customer_can_still_be_changed_there(desk: Client) -> None:
    customer = small_books()
    url = f"/admin/customers/customer/{customer.pk}/change/"
    form = desk.get(url).context["adminform"].form
    values = {name: form.initial.get(name) for name in form.fields if form.initial.get(name) is not None}
    for prefix in ("subscriptions", "invoices", "coupon_redemptions", "credits", "portal_users"):
        values |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    answer = desk.post(url, values | {"name": "Acme & Sons"})
    assert answer.status_code == 302, answer.context["errors"]
    customer.refresh_from_db()
    assert customer.name == "Acme & Sons"
    assert AuditEvent.objects.get(action="customer.updated").actor_label == "finance@example.com"


def test_books_are_for_those_who_may_see_invoices(client: Client) -> None:
    customer = small_books()
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(clerk)
    page = client.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    assert "Acme" in page
    assert "€30.00" not in page
    assert "INV-000001" not in page


def test_a_new_customer_is_asked_for_without_books(desk: Client) -> None:
    assert desk.get("/admin/customers/customer/add/").status_code == 200
