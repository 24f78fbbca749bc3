import re
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage, EmailMultiAlternatives
from pytest_django import Settings

from customers.models import AuditEvent, Customer, PortalUser, User
from customers.portal_access import (
    PortalAccessError,
    grant_portal_access,
    revoke_portal_access,
    send_sign_in_link,
    sign_in_link,
    use_link,
    user_of_link,
)
from tests.customers.factories import ACTOR, NOW, CustomerFactory, PortalUserFactory, UserFactory

pytestmark = pytest.mark.django_db


def token_of(user: User) -> str:
    return sign_in_link(user).rpartition("/")[2]


def test_access_makes_the_person_where_there_is_none() -> None:
    customer = CustomerFactory.create(external_id="acme")
    access = grant_portal_access(customer_id=customer.pk, email=" Ana@Example.com ", full_name="Ana", actor=ACTOR, now=NOW)
    assert (access.user.email, access.user.full_name, access.user.is_staff) == ("ana@example.com", "Ana", False)
    assert not access.user.has_usable_password()
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.customer) == ("portal_access.granted", "ana@example.com", customer)


def test_access_is_given_once_and_a_person_may_have_several_customers() -> None:
    first, second = CustomerFactory.create(), CustomerFactory.create()
    for customer in (first, first, second):
        grant_portal_access(customer_id=customer.pk, email="ana@example.com", actor=ACTOR, now=NOW)
    assert User.objects.count() == 1
    assert PortalUser.objects.count() == 2
    assert AuditEvent.objects.count() == 2


def test_an_address_that_cannot_be_used_gives_no_access() -> None:
    customer = CustomerFactory.create()
    with pytest.raises(PortalAccessError, match=r"^email: Write an e-mail address"):
        grant_portal_access(customer_id=customer.pk, email="ana@", actor=ACTOR, now=NOW)
    assert not User.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_inactive_person_gets_no_access() -> None:
    UserFactory.create(email="ana@example.com", is_active=False)
    with pytest.raises(PortalAccessError, match=r"^email: This person has been made inactive\.$"):
        grant_portal_access(customer_id=CustomerFactory.create().pk, email="ana@example.com", actor=ACTOR, now=NOW)
    assert not PortalUser.objects.exists()


def test_no_access_to_a_customer_that_is_not_there() -> None:
    with pytest.raises(Customer.DoesNotExist):
        grant_portal_access(customer_id=0, email="ana@example.com", actor=ACTOR, now=NOW)
    assert not User.objects.exists()


def test_taking_access_away_is_audited_once_and_leaves_the_person() -> None:
    access = PortalUserFactory.create(user__email="ana@example.com")
    for _time in range(2):
        revoke_portal_access(portal_user_id=access.pk, actor=ACTOR, now=NOW)
    assert not PortalUser.objects.exists()
    assert User.objects.get().email == "ana@example.com"
    event = AuditEvent.objects.get()
    assert (event.action, event.customer_id, event.before) == (
        "portal_access.revoked",
        access.customer_id,
        {"email": "ana@example.com"},
    )


def test_the_mail_has_the_link_as_text_and_as_html(mailoutbox: list[EmailMessage], settings: Settings) -> None:
    settings.SQUILL_BASE_URL = "https://billing.example"
    settings.SQUILL_COMPANY_NAME = "Lumen & Co"
    PortalUserFactory.create(user__email="ana@example.com", user__full_name="Ana <Lima>")
    send_sign_in_link(email="ANA@example.com", now=NOW, next_path="/portal/invoices")
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["ana@example.com"], "Your sign-in link for Lumen & Co")
    assert re.search(r"^https://billing\.example/portal/sign-in/link/\S+\?next=%2Fportal%2Finvoices$", str(mail.body), re.M)
    assert "Hello Ana <Lima>," in str(mail.body)
    assert isinstance(mail, EmailMultiAlternatives)
    [(html, media_type)] = mail.alternatives
    assert media_type == "text/html"
    assert isinstance(html, str)
    assert "Hello Ana &lt;Lima&gt;," in html
    assert 'href="https://billing.example/portal/sign-in/link/' in html
    assert "It works once, for 60 minutes." in html


def test_strangers_staff_and_the_inactive_get_no_mail(mailoutbox: list[EmailMessage]) -> None:
    UserFactory.create(email="no-access@example.com")
    PortalUserFactory.create(user__email="staff@example.com", user__is_staff=True)
    PortalUserFactory.create(user__email="inactive@example.com", user__is_active=False)
    for name in ("stranger", "no-access", "staff", "inactive"):
        send_sign_in_link(email=f"{name}@example.com", now=NOW)
    assert mailoutbox == []
    assert not AuditEvent.objects.exists()


def test_an_address_gets_five_links_an_hour(mailoutbox: list[EmailMessage]) -> None:
    PortalUserFactory.create(user__email="ana@example.com")
    PortalUserFactory.create(user__email="bo@example.com")
    for _time in range(7):
        send_sign_in_link(email="ana@example.com", now=NOW)
    assert len(mailoutbox) == 5
    send_sign_in_link(email="bo@example.com", now=NOW)
    assert len(mailoutbox) == 6
    send_sign_in_link(email="ana@example.com", now=NOW + timedelta(minutes=59))
    assert len(mailoutbox) == 6
    send_sign_in_link(email="ana@example.com", now=NOW + timedelta(hours=1))
    assert len(mailoutbox) == 7


def test_looking_at_a_link_does_not_use_it_up() -> None:
    user = PortalUserFactory.create().user
    token = token_of(user)
    assert user_of_link(token) == user
    assert user_of_link(token) == user
    assert use_link(token, now=NOW) == user


def test_a_link_works_once_and_takes_its_siblings_along() -> None:
    user = PortalUserFactory.create().user
    token, sibling = token_of(user), token_of(user)
    assert use_link(token, now=NOW) == user
    assert use_link(token, now=NOW) is None
    assert use_link(sibling, now=NOW) is None


def test_a_link_ends_after_an_hour() -> None:
    user = PortalUserFactory.create().user
    with time_machine.travel(NOW, tick=False) as clock:
        token = token_of(user)
        clock.shift(3598)
        assert user_of_link(token) == user
        clock.shift(4)
        assert user_of_link(token) is None
        assert use_link(token, now=NOW) is None
    user.refresh_from_db()
    assert user.last_login is None


@pytest.mark.parametrize("token", ["", "x", "AAAAAAAAAAIM95C2iKwTetYZXiQcIg"])
def test_what_is_no_link_lets_nobody_in(token: str) -> None:
    PortalUserFactory.create()
    assert use_link(token, now=NOW) is None


def test_a_link_dies_when_its_person_becomes_staff() -> None:
    user = PortalUserFactory.create().user
    token = token_of(user)
    User.objects.update(is_staff=True)
    assert use_link(token, now=NOW) is None
