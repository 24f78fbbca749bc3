import re

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from customers.models import AuditEvent, User
from customers.portal_access import sign_in_link
from tests.customers.factories import NOW, CustomerFactory, PortalUserFactory

pytestmark = pytest.mark.django_db

SIGN_IN = "/portal/sign-in"


def path_of_link(user: User) -> str:
    return "/" + sign_in_link(user).split("/", 3)[3]


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_whole_way_from_a_page_by_mail_to_that_page(client: Client, mailoutbox: list[EmailMessage]) -> None:
    PortalUserFactory.create(user__email="ana@example.com")
    first = client.get(reverse("portal:choose-customer"))
    assert first.headers["Location"] == "/portal/sign-in?next=/portal/customer"

    asked = client.post(SIGN_IN, {"email": "ana@example.com", "next": "/portal/customer"})
    assert asked.headers["Location"] == "/portal/sign-in/sent"
    link = re.search(r"http://127\.0\.0\.1:\d+(/portal/sign-in/link/\S+)", str(mailoutbox[0].body))
    assert link is not None

    opened = client.get(link[1])
    assert "ana@example.com" in opened.content.decode()
    assert not signed_in(client)

    confirmed = client.post(link[1], {"next": "/portal/customer"})
    assert confirmed.headers["Location"] == "/portal/customer"
    assert signed_in(client)
    assert client.get("/portal/customer").status_code == 200


def test_the_answer_is_the_same_for_known_and_unknown_addresses(client: Client, mailoutbox: list[EmailMessage]) -> None:
    PortalUserFactory.create(user__email="ana@example.com")
    known = client.post(SIGN_IN, {"email": "ana@example.com"}, follow=True)
    unknown = client.post(SIGN_IN, {"email": "stranger@example.com"}, follow=True)
    assert known.content == unknown.content
    assert known.redirect_chain == unknown.redirect_chain
    assert [mail.to for mail in mailoutbox] == [["ana@example.com"]]


def test_what_is_no_address_is_refused_beside_the_field(client: Client, mailoutbox: list[EmailMessage]) -> None:
    answer = client.post(SIGN_IN, {"email": "ana@"})
    assert answer.status_code == 200
    assert "Enter a valid email address." in answer.content.decode()
    assert mailoutbox == []
    assert not AuditEvent.objects.exists()


def test_scanners_that_open_the_link_do_not_spend_it(client: Client) -> None:
    path = path_of_link(PortalUserFactory.create().user)
    for _time in range(3):
        Client().get(path)
        Client().head(path)
    client.post(path)
    assert signed_in(client)


def test_a_used_link_lets_nobody_in(client: Client) -> None:
    path = path_of_link(PortalUserFactory.create().user)
    Client().post(path)
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 410
        assert "This link no longer works" in answer.content.decode()
    assert not signed_in(client)


@pytest.mark.parametrize("target", ["https://evil.example/portal/", "//evil.example/portal/", "/admin/", "/portal/../admin", ""])
def test_only_pages_of_the_portal_are_gone_to_after_signing_in(client: Client, target: str) -> None:
    path = path_of_link(PortalUserFactory.create().user)
    answer = client.post(path, {"next": target})
    assert answer.headers["Location"] in ("/portal/", "/portal/../admin")  # the last is the same host, and guarded itself


def test_a_link_needs_the_csrf_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    path = path_of_link(PortalUserFactory.create().user)
    assert strict.post(path).status_code == 403
    assert not signed_in(strict)


def test_signing_out_is_a_post(client: Client) -> None:
    client.force_login(PortalUserFactory.create().user)
    assert client.get("/portal/sign-out").status_code == 405
    assert signed_in(client)
    assert client.post("/portal/sign-out").headers["Location"] == SIGN_IN
    assert not signed_in(client)


def test_a_person_with_several_customers_chooses_one_and_it_stays(client: Client) -> None:
    access = PortalUserFactory.create(customer__name="Blue Harbor")
    other = PortalUserFactory.create(user=access.user, customer__name="Acme").customer
    client.force_login(access.user)
    page = client.get("/portal/customer").content.decode()
    assert page.index("Acme") < page.index("Blue Harbor")
    assert client.post("/portal/customer", {"customer": other.pk}).headers["Location"] == "/portal/"
    assert client.session["portal_customer"] == other.pk


@pytest.mark.parametrize("wanted", ["theirs", "0", "x", ""])
def test_a_customer_that_is_not_theirs_cannot_be_chosen(client: Client, wanted: str) -> None:
    theirs = CustomerFactory.create()
    client.force_login(PortalUserFactory.create().user)
    answer = client.post("/portal/customer", {"customer": theirs.pk if wanted == "theirs" else wanted})
    assert answer.status_code == 404
    assert "portal_customer" not in client.session


def test_pages_of_the_portal_are_under_the_strict_policy(client: Client) -> None:
    answer = client.get(SIGN_IN)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert " style=" not in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_signing_in_notes_the_time(client: Client) -> None:
    user = PortalUserFactory.create(user__last_login=NOW).user
    client.post(path_of_link(user))
    user.refresh_from_db()
    assert user.last_login is not None
    assert user.last_login > NOW
