"""Who may enter a customer's portal, and the one-time links by which they do."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from sesame.utils import get_token
from sesame.utils import get_user as user_of_token

from customers import audit
from customers.locks import lock_customer
from customers.models import AuditEvent, PortalUser, User
from squill.lib.actor import Actor, system

# A token for the portal opens nothing else that may one day use mailed links.
TOKEN_SCOPE: Final = "portal"  # noqa: S105 (not a secret)
LINKS_PER_HOUR: Final = 5
_LINK_SENT: Final = "portal.link_sent"


class PortalAccessError(Exception):
    """Access that was not given; `errors` has a sentence for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = errors


@transaction.atomic
def grant_portal_access(*, customer_id: int, email: str, actor: Actor, now: datetime, full_name: str = "") -> PortalUser:
    """
    Let the person with this address into the customer's portal, and make the person where there is none; locks the customer.

    Idempotent: access that exists is returned as it is. No mail is sent. Audited as portal_access.granted.

    :raises PortalAccessError: if the address cannot be used, or is of a person who was made inactive
    :raises Customer.DoesNotExist: if there is no such customer
    """
    customer = lock_customer(customer_id)
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise PortalAccessError({"email": _("Write an e-mail address such as ana@example.com.")}) from None
    user, _made = User.objects.get_or_create(
        email=address, defaults={"full_name": full_name.strip(), "password": make_password(None)}
    )
    if not user.is_active:
        raise PortalAccessError({"email": _("This person has been made inactive.")})
    access, made = PortalUser.objects.get_or_create(user=user, customer=customer, defaults={"created_at": now})
    if made:
        audit.record(
            action="portal_access.granted",
            object_type="portal_user",
            object_id=address,
            customer_id=customer.pk,
            actor=actor,
            now=now,
            after={"email": address},
        )
    return access


@transaction.atomic
def revoke_portal_access(*, portal_user_id: int, actor: Actor, now: datetime) -> None:
    """
    Take a person's access to one customer away; it works from their next page on. Audited as portal_access.revoked.

    Idempotent: access that is gone already is no error.
    """
    access = PortalUser.objects.select_for_update(of=("self",)).select_related("user").filter(pk=portal_user_id).first()
    if access is None:
        return
    access.delete()
    audit.record(
        action="portal_access.revoked",
        object_type="portal_user",
        object_id=access.user.email,
        customer_id=access.customer_id,
        actor=actor,
        now=now,
        before={"email": access.user.email},
    )


def send_sign_in_link(*, email: str, now: datetime, next_path: str = "") -> None:
    """
    Mail a link that lets in once to the person with this address, if there is one with access to a portal.

    Nothing tells the caller whether there is. Staff get none, since a mailed link must not open the finance desk: they have a
    password. An address gets at most 5 links an hour. Each is audited as portal.link_sent; the mail goes out after that commit.
    """
    address = email.strip().lower()
    with transaction.atomic():
        people = User.objects.select_for_update(of=("self",)).filter(is_active=True, is_staff=False)
        user = people.filter(email=address, portal_access__isnull=False).order_by("pk").first()
        if user is None or _links_since(address, now - timedelta(hours=1)) >= LINKS_PER_HOUR:
            return
        audit.record(action=_LINK_SENT, object_type="portal_user", object_id=address, actor=system("sign-in page"), now=now)
    _mail(user, next_path).send()


def sign_in_link(user: User) -> str:
    """Return the address of the page on which this person signs in, once, within SESAME_MAX_AGE seconds."""
    return settings.SQUILL_BASE_URL + reverse("portal:sign-in-link", args=[get_token(user, scope=TOKEN_SCOPE)])


def user_of_link(token: str) -> User | None:
    """Return the person whom a link lets in, without using it up; None if it is used, too old, or no link at all."""
    user = user_of_token(token, scope=TOKEN_SCOPE, update_last_login=False)
    return user if isinstance(user, User) and not user.is_staff else None


def use_link(token: str, *, now: datetime) -> User | None:
    """
    Return the person whom a link lets in, and use it up; None as in user_of_link.

    Of two who use it at once, one gets in: the token is bound to the time of the last sign-in, which is moved on condition.
    """
    user = user_of_link(token)
    if user is None:
        return None
    moved = User.objects.filter(pk=user.pk, last_login=user.last_login).update(last_login=now)
    return user if moved else None


def _links_since(address: str, since: datetime) -> int:
    sent = AuditEvent.objects.filter(object_type="portal_user", object_id=address, at__gt=since)
    return sent.filter(action=_LINK_SENT).count()


def _mail(user: User, next_path: str) -> EmailMultiAlternatives:
    query = "?" + urlencode({"next": next_path}) if next_path else ""
    context = {
        "link": sign_in_link(user) + query,
        "name": user.full_name,
        "minutes": settings.SESAME_MAX_AGE // 60,
        "company": settings.SQUILL_COMPANY_NAME,
    }
    message = EmailMultiAlternatives(
        subject=pgettext("mail", "Your sign-in link for %(company)s") % {"company": settings.SQUILL_COMPANY_NAME},
        body=render_to_string("emails/sign_in.txt", context),
        to=[user.email],
    )
    message.attach_alternative(render_to_string("emails/sign_in.html", context), "text/html")
    return message
