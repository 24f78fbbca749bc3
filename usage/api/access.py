"""What the calling API key may see and do (I12)."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from customers.api.authentication import KeyPrincipal
from customers.models import ApiKey
from squill.lib.actor import Actor


def narrowed_to(request: Request) -> int | None:
    """
    Return the customer that the key is narrowed to, None if it is for all.

    :raises PermissionDenied: if the request shows no key
    """
    api_key: object = request.auth
    if not isinstance(api_key, ApiKey):
        raise PermissionDenied
    return api_key.customer_id


def actor_for_everybody(request: Request) -> Actor:
    """
    Return who changes what belongs to no single customer.

    :raises PermissionDenied: if the key is narrowed to one
    """
    principal: object = request.user
    if not isinstance(principal, KeyPrincipal) or narrowed_to(request) is not None:
        raise PermissionDenied(_("This API key is narrowed to one customer and cannot change meters."))
    return principal.actor
