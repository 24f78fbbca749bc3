import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from customers.models import Customer, User
from customers.portal.access import SESSION_KEY, portal_customer, portal_view
from customers.portal_access import revoke_portal_access
from tests.customers.factories import ACTOR, NOW, CustomerFactory, PortalUserFactory, UserFactory

pytestmark = pytest.mark.django_db


@portal_view
def name_page(request: HttpRequest, customer: Customer, suffix: str) -> HttpResponse:
    return HttpResponse(customer.name + suffix)


def request_of(user: User | AnonymousUser, chosen: int | None = None) -> HttpRequest:
    request = RequestFactory().get("/portal/somewhere?page=2")
    request.user = user
    request.session = SessionStore()
    if chosen is not None:
        request.session[SESSION_KEY] = chosen
    return request


def test_a_page_gets_the_customer_of_the_person() -> None:
    access = PortalUserFactory.create(customer__name="Acme")
    request = request_of(access.user)
    answer = name_page(request, suffix="!")
    assert isinstance(answer, HttpResponse)
    assert answer.content == b"Acme!"
    assert "no-store" in answer.headers["Cache-Control"]
    assert (request.portal_customer, request.portal_has_choice) == (access.customer, False)  # type: ignore[attr-defined]


def test_a_stranger_is_sent_to_sign_in_and_back() -> None:
    answer = name_page(request_of(AnonymousUser()), suffix="")
    assert answer.headers["Location"] == "/portal/sign-in?next=/portal/somewhere%3Fpage%3D2"


def test_a_person_without_access_finds_nothing() -> None:
    CustomerFactory.create()
    with pytest.raises(Http404):
        name_page(request_of(UserFactory.create()), suffix="")


def test_of_several_customers_one_is_to_be_chosen_first() -> None:
    access = PortalUserFactory.create()
    second = PortalUserFactory.create(user=access.user).customer
    assert name_page(request_of(access.user), suffix="").headers["Location"] == "/portal/customer"
    assert portal_customer(request_of(access.user, chosen=second.pk)) == second


def test_a_choice_that_is_not_theirs_is_passed_over() -> None:
    access = PortalUserFactory.create()
    theirs = CustomerFactory.create()
    assert portal_customer(request_of(access.user, chosen=theirs.pk)) == access.customer


def test_access_that_is_taken_away_ends_at_the_next_page() -> None:
    access = PortalUserFactory.create()
    revoke_portal_access(portal_user_id=access.pk, actor=ACTOR, now=NOW)
    with pytest.raises(Http404):
        name_page(request_of(access.user), suffix="")
