import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import AuditEvent, User
from tests.customers.factories import CustomerFactory, PortalUserFactory, api_key, staff

pytestmark = pytest.mark.django_db

MODELS = [
    "customers/customer",
    "customers/apikey",
    "customers/portaluser",
    "customers/user",
    "customers/auditevent",
    "auth/group",
]


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(staff())
    return client


@pytest.mark.parametrize("model", MODELS)
def test_every_list_opens_and_can_be_searched(desk: Client, model: str) -> None:
    PortalUserFactory.create()
    api_key()
    for query in ("", "?q=ana"):
        assert desk.get(f"/admin/{model}/{query}").status_code == 200


@pytest.mark.parametrize("model", [model for model in MODELS if model != "customers/auditevent"])
def test_every_page_for_a_new_one_opens(desk: Client, model: str) -> None:
    assert desk.get(f"/admin/{model}/add/").status_code == 200


def test_the_page_of_each_opens(desk: Client) -> None:
    access = PortalUserFactory.create()
    made, _secret = api_key(customer=access.customer)
    for path in (
        f"customers/customer/{access.customer.pk}",
        f"customers/portaluser/{access.pk}",
        f"customers/user/{access.user.pk}",
        f"customers/apikey/{made.pk}",
    ):
        assert desk.get(f"/admin/{path}/change/").status_code == 200


def test_an_audit_event_shows_what_was_and_what_became(desk: Client) -> None:
    made, _secret = api_key("read")
    event = AuditEvent.objects.get()
    page = desk.get(f"/admin/customers/auditevent/{event.pk}/change/").content.decode()
    assert made.prefix in page
    assert "&quot;scopes&quot;: [" in page
    assert desk.post(f"/admin/customers/auditevent/{event.pk}/change/", {"action": "x"}).status_code == 403
    assert desk.get("/admin/customers/auditevent/add/").status_code == 403


def test_nothing_can_be_deleted(desk: Client) -> None:
    access = PortalUserFactory.create()
    made, _secret = api_key()
    for path in (
        f"customers/customer/{access.customer.pk}",
        f"customers/portaluser/{access.pk}",
        f"customers/user/{access.user.pk}",
        f"customers/apikey/{made.pk}",
    ):
        assert desk.post(f"/admin/{path}/delete/", {"post": "yes"}).status_code == 403
    for model in MODELS:
        answer = desk.post(f"/admin/{model}/", {"action": "delete_selected", "_selected_action": [1]})
        assert answer.status_code in (200, 302, 403)
    assert User.objects.filter(pk=access.user.pk).exists()
    access.refresh_from_db()
    made.refresh_from_db()


def test_only_the_finance_desk_is_under_the_relaxed_policy(desk: Client) -> None:
    for path in ("/admin/login/?next=/admin/", "/admin/customers/customer/", "/admin/customers/customer/add/"):
        policy = desk.get(path, follow=path.endswith("customer/")).headers["Content-Security-Policy"]
        assert "'unsafe-eval'" in policy
        assert "default-src 'self'" in policy
    assert "unsafe" not in desk.get("/portal/sign-in").headers["Content-Security-Policy"]


def test_a_person_of_a_customer_does_not_get_in(client: Client) -> None:
    client.force_login(PortalUserFactory.create().user)
    answer = client.get("/admin/customers/customer/")
    assert answer.headers["Location"] == "/admin/login/?next=/admin/customers/customer/"


def test_the_sidebar_lists_only_what_the_person_may_see(client: Client) -> None:
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(clerk)
    CustomerFactory.create()
    page = client.get("/admin/customers/customer/").content.decode()
    assert 'href="/admin/customers/customer/"' in page
    assert 'href="/admin/customers/apikey/"' not in page
    assert client.get("/admin/customers/apikey/").status_code == 403


def test_signing_in_with_nowhere_to_go_leads_to_the_overview(client: Client) -> None:
    assert client.get("/admin/login/").headers["Location"] == "/admin/login/?next=%2Fadmin%2F"
    staff("ana@example.com")
    login = {"username": "ana@example.com", "password": "correct horse battery"}
    answer = client.post("/admin/login/?next=/admin/", login)
    assert answer.headers["Location"] == "/admin/"
