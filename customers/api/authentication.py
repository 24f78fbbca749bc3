"""Who calls the API, and what that key may do and see."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from customers.api_keys import authenticate
from customers.models import ApiKey, Customer, Scope
from squill.lib import clock
from squill.lib.actor import Actor

if TYPE_CHECKING:
    from rest_framework.views import APIView  # its module imports this one by the settings


@dataclass(frozen=True, slots=True)
class KeyPrincipal:
    """The caller of an API view (`request.user`): a system of the company, known by its key."""

    api_key: ApiKey
    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True

    @property
    def actor(self) -> Actor:
        """Return who the audit trail names."""
        return Actor("api_key", self.api_key.prefix)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sq_live_…`; sets `request.auth` to the ApiKey and `request.user` to a KeyPrincipal."""

    def authenticate(self, request: Request) -> tuple[KeyPrincipal, ApiKey] | None:
        """
        Return the caller, or None where the request shows no key.

        :raises AuthenticationFailed: if it shows one that is unknown, revoked or expired
        """
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer":
            raise AuthenticationFailed(_("Send the API key as “Authorization: Bearer sq_live_…”."))
        api_key = authenticate(secret.strip(), clock.now())
        if api_key is None:
            raise AuthenticationFailed(_("The API key is unknown, revoked or expired."))
        return KeyPrincipal(api_key), api_key

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return 'Bearer realm="squill"'


class HasScope(BasePermission):
    """
    Let a key do what its scopes say: safe methods need `read`, all others `write`.

    A view may name others by method: `required_scopes = {"POST": "events:write"}`.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Say whether the key has the scope that the view and method need."""
        if not isinstance(request.auth, ApiKey):
            return False
        method = request.method or ""
        usual = Scope.READ if method in SAFE_METHODS else Scope.WRITE
        needed = str(getattr(view, "required_scopes", {}).get(method, usual))
        self.message = _("The API key %(prefix)s lacks the scope %(scope)s.") % {"prefix": request.auth.prefix, "scope": needed}
        return needed in request.auth.scopes


def calling_key(request: Request) -> ApiKey:
    """
    Return the key that the request shows.

    :raises NotAuthenticated: if it shows none
    """
    if not isinstance(request.auth, ApiKey):
        raise NotAuthenticated
    return request.auth


def actor_of(request: Request) -> Actor:
    """
    Return who the audit trail names for a change that comes over the API.

    :raises NotAuthenticated: if the request shows no key
    """
    return Actor("api_key", calling_key(request).prefix)


def visible_customers(request: Request) -> QuerySet[Customer]:
    """
    Return the customers that the calling key may know of: all, or the one it is narrowed to (I12).

    :raises NotAuthenticated: if the request shows no key
    """
    customer_id = calling_key(request).customer_id
    return Customer.objects.all() if customer_id is None else Customer.objects.filter(pk=customer_id)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes the key."""

    target_class = "customers.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the security scheme: a bearer token."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "sq_live_…",
            "description": "An API key, made with `manage.py create_api_key` or in the finance desk.",
        }
