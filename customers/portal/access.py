"""Whose portal the signed-in person looks at; every page of it is behind `portal_view` (I12)."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from customers.models import Customer

# The id of the chosen customer in the session, for people who have several.
SESSION_KEY: Final = "portal_customer"


def customers_of(request: HttpRequest) -> list[Customer]:
    """Return the customers that the signed-in person has access to, by name. One query; none for a stranger."""
    if not request.user.is_authenticated:
        return []
    return list(Customer.objects.filter(portal_users__user_id=request.user.pk).order_by("name", "pk"))


def portal_customer(request: HttpRequest) -> Customer | None:
    """
    Return the customer whose portal the signed-in person looks at; None while one of several is to be chosen.

    :raises Http404: if the person has access to none
    """
    choices = customers_of(request)
    if not choices:
        raise Http404(_("You have no access to a customer portal."))
    chosen = [customer for customer in choices if customer.pk == request.session.get(SESSION_KEY)]
    if not chosen and len(choices) > 1:
        return None
    # What templates/portal/base.html shows in its header.
    request.portal_has_choice = len(choices) > 1  # type: ignore[attr-defined]
    request.portal_customer = (chosen or choices)[0]  # type: ignore[attr-defined]
    return (chosen or choices)[0]


def portal_view[**P](
    view: Callable[Concatenate[HttpRequest, Customer, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """
    Give a page its customer: `view(request, customer, …)`.

    A stranger is sent to sign in, a person with several customers to choose one, a person with none gets 404. Pages are never
    kept by caches. The view looks things up among the customer's own, so that what is another's is 404 as well.
    """

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        customer = portal_customer(request)
        if customer is None:
            return _to_choice()
        return view(request, customer, *args, **kwargs)

    return page


def _to_choice() -> HttpResponse:
    return redirect("portal:choose-customer")
