import pytest
from django.test import Client

from customers.models import AuditEvent, PortalUser, User
from tests.customers.factories import CustomerFactory, PortalUserFactory, UserFactory, staff

pytestmark = pytest.mark.django_db

ADD = "/admin/customers/portaluser/add/"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(staff())
    return client


def test_access_is_given_by_address(desk: Client) -> None:
    customer = CustomerFactory.create()
    desk.post(ADD, {"customer": customer.pk, "email": "Ana@example.com", "full_name": "Ana Lima"})
    access = PortalUser.objects.get()
    assert (access.customer, access.user.email, access.user.full_name) == (customer, "ana@example.com", "Ana Lima")
    assert AuditEvent.objects.get().actor_label == "finance@example.com"


def test_an_inactive_person_is_refused_beside_the_field(desk: Client) -> None:
    UserFactory.create(email="ana@example.com", is_active=False)
    answer = desk.post(ADD, {"customer": CustomerFactory.create().pk, "email": "ana@example.com", "full_name": ""})
    assert answer.context["adminform"].form.errors == {"email": ["This person has been made inactive."]}
    assert not PortalUser.objects.exists()


def test_access_is_taken_away_after_asking(desk: Client) -> None:
    access = PortalUserFactory.create()
    path = f"/admin/customers/portaluser/{access.pk}/take-away/"
    assert desk.get(path).status_code == 200
    assert PortalUser.objects.exists()
    answer = desk.post(path)
    assert answer.headers["Location"] == "/admin/customers/portaluser/"
    assert not PortalUser.objects.exists()
    assert User.objects.filter(pk=access.user.pk).exists()
    assert AuditEvent.objects.get().action == "portal_access.revoked"
