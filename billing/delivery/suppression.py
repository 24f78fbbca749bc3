"""Addresses that nothing more is sent to: mail came back from them, or they complained. A person lifts it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import parseaddr

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billing.models import SuppressedAddress
from customers.audit import record
from squill.lib.actor import Actor
from squill.web.formatting import format_date


def plain_address(address: str) -> str:
    """Return an address as suppressed ones are kept: without a name, in lower case; empty if it is none, or too long."""
    plain = parseaddr(address)[1].strip().lower()
    return plain if "@" in plain and len(plain) <= 254 else ""


def suppressions(addresses: Iterable[str]) -> Mapping[str, SuppressedAddress]:
    """Return the live suppressions of these addresses, by the address as `plain_address` writes it. One query."""
    plain = {plain_address(address) for address in addresses} - {""}
    return {each.address: each for each in SuppressedAddress.objects.filter(address__in=plain, lifted_at=None)}


def suppression_of(address: str) -> SuppressedAddress | None:
    """Return the live suppression of an address, or None. One query."""
    return suppressions([address]).get(plain_address(address))


def why_suppressed(suppressed: SuppressedAddress) -> str:
    """Say why nothing is sent to the address, and what to do about it."""
    words = {"since": format_date(suppressed.suppressed_at.date(), get_language() or "en")}
    if suppressed.reason == SuppressedAddress.Reason.COMPLAINT:
        return _("the address complained about our mail on %(since)s: send to another, or lift the suppression") % words
    return _("mail to the address came back on %(since)s: send to another, or lift the suppression") % words


@transaction.atomic
def suppress(
    *, address: str, reason: SuppressedAddress.Reason, detail: str, actor: Actor, now: datetime, customer_id: int | None = None
) -> SuppressedAddress | None:
    """
    Send nothing more to an address until a person lifts that; None if it is no address. Audited as address.suppressed.

    Idempotent: of an address that is suppressed already the first reason stays.
    """
    plain = plain_address(address)
    if not plain:
        return None
    suppressed, is_new = SuppressedAddress.objects.get_or_create(
        address=plain, lifted_at=None, defaults={"reason": reason, "detail": detail[:500], "suppressed_at": now}
    )
    if is_new:
        facts = {"reason": reason.value, "detail": detail[:500]}
        _record("address.suppressed", suppressed, actor=actor, now=now, after=facts, customer_id=customer_id)
    return suppressed


@transaction.atomic
def lift_suppression(*, suppressed_id: int, actor: Actor, now: datetime) -> SuppressedAddress:
    """
    Let mail go to an address again. What was not sent meanwhile is sent again by hand. Audited as address.lifted.

    Idempotent: one that is lifted already stays as it is. The history stays, and the next bounce suppresses it anew.

    :raises SuppressedAddress.DoesNotExist: if there is none
    """
    if SuppressedAddress.objects.filter(pk=suppressed_id, lifted_at=None).update(lifted_at=now):
        lifted = SuppressedAddress.objects.get(pk=suppressed_id)
        _record("address.lifted", lifted, actor=actor, now=now, after={"reason": lifted.reason})
        return lifted
    return SuppressedAddress.objects.get(pk=suppressed_id)


def _record(
    action: str,
    suppressed: SuppressedAddress,
    *,
    actor: Actor,
    now: datetime,
    after: Mapping[str, str],
    customer_id: int | None = None,
) -> None:
    record(
        action=action,
        object_type="address",
        object_id=suppressed.address,
        customer_id=customer_id,
        actor=actor,
        now=now,
        after=after,
    )
