"""Who may sign in to the demo. Passwords and the API key are made up once for a home and kept in it, readable by its owner."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, Permission

from billing.management.demo.story import ACTOR
from customers.api_keys import issue_api_key
from customers.models import Customer, PortalUser, Scope, User
from customers.portal_access import grant_portal_access

ADMIN_EMAIL = "admin@northlight.example"
FINANCE_EMAIL = "finance@northlight.example"
PORTAL_EMAIL = "ana@fenwick.example"
PORTAL_CUSTOMER = "fenwick"


@dataclass(frozen=True, slots=True)
class Access:
    """What a visitor needs to come in."""

    admin_password: str
    finance_password: str
    api_key: str


def _path() -> Path:
    return Path(settings.SQUILL_HOME) / "demo.json"


def let_people_in(now: datetime) -> Access:
    """Make a superuser, a finance user, a portal user and an API key; write what they need into the home."""
    access = Access(secrets.token_urlsafe(9), secrets.token_urlsafe(9), _api_key(now))
    User.objects.create_superuser(ADMIN_EMAIL, access.admin_password, full_name="Admin")
    finance = User.objects.create_user(FINANCE_EMAIL, access.finance_password, full_name="Fiona Finance", is_staff=True)
    finance.groups.add(finance_group())
    grant_portal_access(
        customer_id=Customer.objects.get(external_id=PORTAL_CUSTOMER).pk,
        email=PORTAL_EMAIL,
        full_name="Ana Daly",
        actor=ACTOR,
        now=now,
    )
    path = _path()
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(access)))
    return access


def finance_group() -> Group:
    """Return the group that works at the finance desk: sees everything, changes what is about customers and billing."""
    group, _created = Group.objects.get_or_create(name="Finance")
    group.permissions.set(Permission.objects.filter(content_type__app_label__in=["customers", "usage", "billing"]))
    return group


def known_access() -> Access | None:
    """Return what an earlier demo in this home has written; None if there was none."""
    try:
        return Access(**json.loads(_path().read_text()))
    except FileNotFoundError:
        return None


def portal_user() -> User:
    """Return the person who shows the portal."""
    return PortalUser.objects.select_related("user").get(user__email=PORTAL_EMAIL).user


def _api_key(now: datetime) -> str:
    _key, secret = issue_api_key(name="demo", scopes=list(Scope.values), actor=ACTOR, now=now)
    return secret
