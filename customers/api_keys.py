"""
API keys: made, known again and revoked.

A key is `sq_live_<8>_<43>`: the public prefix that lists and logs show, then 256 random bits. Only the SHA-256 of the whole key
is kept; a slow hash would add nothing to that many random bits.
"""

import hashlib
import re
import secrets
import string
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from customers import audit
from customers.models import ApiKey, Customer, Scope
from squill.lib.actor import Actor

_FORM: Final = re.compile(r"(sq_live_[a-z0-9]{8})_[A-Za-z0-9_-]{43}")
_KEPT_AS: Final = re.compile(r"(sq_live_[a-z0-9]{8}):([0-9a-f]{64})")
_PREFIX_ALPHABET: Final = string.ascii_lowercase + string.digits
# `last_used_at` tells days apart, not calls: one write a minute keeps the row from being a bottleneck.
_LAST_USED_EVERY: Final = timedelta(minutes=1)
# How long a process takes a key as it last saw it, so that a sender of single events does not cost a query for each. A key that
# another process revokes is dead here within that time.
REMEMBERED_SECONDS: Final = 5
_MOST_REMEMBERED: Final = 1000
# By hash of the whole key: the key, and the reading of the monotonic clock until which it is taken.
_remembered: dict[str, tuple[ApiKey, float]] = {}


class ApiKeyError(Exception):
    """A key that was not made; `errors` has a sentence for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A key's text before it is kept: made here, or by whoever will use it, who then hands over `kept_as` alone."""

    prefix: str
    text: str = field(repr=False)

    @property
    def kept_as(self) -> str:
        """Return what may be told to anybody: prefix:hash."""
        return f"{self.prefix}:{_hash(self.text)}"


def new_secret() -> NewSecret:
    """Make the text of a key, which works once it is kept."""
    prefix = "sq_live_" + "".join(secrets.choice(_PREFIX_ALPHABET) for _index in range(8))
    return NewSecret(prefix, f"{prefix}_{secrets.token_urlsafe(32)}")


def issue_api_key(
    *,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    now: datetime,
    customer: Customer | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """
    Make a key and return it with its secret text, which cannot be had again. Otherwise like keep_api_key().

    :raises ApiKeyError: for an empty name, no or unknown scopes, or an expiry that is not in the future
    """
    secret = new_secret()
    api_key = keep_api_key(
        kept_as=secret.kept_as, name=name, scopes=scopes, actor=actor, now=now, customer=customer, expires_at=expires_at
    )
    return api_key, secret.text


@transaction.atomic
def keep_api_key(
    *,
    kept_as: str,
    name: str,
    scopes: Iterable[str],
    actor: Actor,
    now: datetime,
    customer: Customer | None = None,
    expires_at: datetime | None = None,
) -> ApiKey:
    """
    Have a key work whose text was made elsewhere (NewSecret.kept_as). Audited as api_key.issued.

    `customer` narrows it to that customer's data. It works until `expires_at`, exclusive; None is for good.

    :raises ApiKeyError: for an empty name, no or unknown scopes, an expiry that is not in the future, or a `kept_as` that is none
        or is known already
    """
    wanted = sorted({str(scope) for scope in scopes})
    _check(name, wanted, expires_at, now)
    form = _KEPT_AS.fullmatch(kept_as)
    if form is None or ApiKey.objects.filter(prefix=form[1]).exists():
        raise ApiKeyError({"kept_as": _("Write prefix:hash, of a key that is new.")})
    prefix, secret_hash = form.groups()
    api_key = ApiKey.objects.create(
        name=name.strip(),
        prefix=prefix,
        secret_hash=secret_hash,
        scopes=wanted,
        customer=customer,
        created_at=now,
        expires_at=expires_at,
    )
    audit.record(
        action="api_key.issued",
        object_type="api_key",
        object_id=prefix,
        customer_id=customer.pk if customer else None,
        actor=actor,
        now=now,
        after={"name": api_key.name, "scopes": wanted, "expires_at": expires_at.isoformat() if expires_at else None},
    )
    return api_key


@transaction.atomic
def revoke_api_key(*, api_key_id: int, actor: Actor, now: datetime) -> ApiKey:
    """
    End a key for good: in this process at once, in others within REMEMBERED_SECONDS.

    Idempotent: a revoked key is returned as it is. Audited as api_key.revoked.

    :raises ApiKey.DoesNotExist: if there is none
    """
    api_key = ApiKey.objects.select_for_update(of=("self",)).get(pk=api_key_id)
    if api_key.revoked_at is not None:
        return api_key
    api_key.revoked_at = now
    api_key.save(update_fields=["revoked_at"])
    _remembered.clear()
    transaction.on_commit(_remembered.clear)  # again: a request may have read the key before the commit
    audit.record(
        action="api_key.revoked",
        object_type="api_key",
        object_id=api_key.prefix,
        customer_id=api_key.customer_id,
        actor=actor,
        now=now,
        before={"revoked_at": None},
        after={"revoked_at": now.isoformat()},
    )
    return api_key


def authenticate(secret: str, now: datetime) -> ApiKey | None:
    """
    Return the key that this text is, with its customer, or None if it is no key, revoked or expired.

    One query, or none where this process has seen the key in the last REMEMBERED_SECONDS: what is returned may be that old.
    Notes the use, with one more statement, if the last noted one is over a minute ago.
    """
    form = _FORM.fullmatch(secret)
    if form is None:
        return None
    api_key = _find(form[1], _hash(secret))
    if api_key is None or (api_key.expires_at is not None and api_key.expires_at <= now):
        return None
    stale = now - _LAST_USED_EVERY
    if api_key.last_used_at is None or api_key.last_used_at <= stale:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=stale)
        ApiKey.objects.filter(unnoted, pk=api_key.pk).update(last_used_at=now)
        api_key.last_used_at = now
    return api_key


def _find(prefix: str, secret_hash: str) -> ApiKey | None:
    """Return the key that is not revoked, remembered or read."""
    seconds = time.monotonic()
    found = _remembered.get(secret_hash)
    if found is not None and seconds < found[1]:
        return found[0]
    api_key = ApiKey.objects.select_related("customer").filter(prefix=prefix, revoked_at=None).first()
    if api_key is None or not secrets.compare_digest(api_key.secret_hash, secret_hash):
        return None
    if len(_remembered) >= _MOST_REMEMBERED:
        _remembered.clear()
    _remembered[secret_hash] = api_key, seconds + REMEMBERED_SECONDS
    return api_key


def _check(name: str, scopes: list[str], expires_at: datetime | None, now: datetime) -> None:
    errors = {}
    if not name.strip() or len(name.strip()) > 100 or not name.strip().isprintable():
        errors["name"] = _("Write 1 to 100 printable characters.")
    unknown = [scope for scope in scopes if scope not in Scope.values]
    if unknown or not scopes:
        errors["scopes"] = _("Choose from %(scopes)s.") % {"scopes": ", ".join(Scope.values)}
    if expires_at is not None and expires_at <= now:
        errors["expires_at"] = _("Choose a time in the future.")
    if errors:
        raise ApiKeyError(errors)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
