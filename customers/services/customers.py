"""Create, change and archive a customer and the keys by which events name it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import psycopg.errors
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from customers import audit
from customers.locks import lock_customer
from customers.models import Customer, Subject
from customers.services.rules import CustomerError, checked, checked_keys
from customers.zones import ZoneIsFixed, zone_changes
from squill.lib.actor import Actor
from squill.lib.decimals import plain

# Decided by subscriptions; the database refuses to move it under those.
_FIXED_BY_USE: Final = ("currency",)


@transaction.atomic
def create_customer(
    *, external_id: str, name: str, actor: Actor, now: datetime, subject_keys: Sequence[str] = (), **fields: Any
) -> Customer:
    """
    Make a customer, with its external id and the given keys as subjects. Audited as customer.created.

    `fields` are columns of Customer by name; those left out get the model's defaults.

    :raises CustomerError: with a sentence for each field that cannot be used, or if the external id or a key is taken
    """
    facts = checked({"external_id": external_id, "name": name, **fields})
    keys = checked_keys([facts["external_id"], *checked_keys(subject_keys)])
    customer = Customer(created_at=now, **facts)
    try:
        with transaction.atomic():
            customer.save(force_insert=True)
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            taken = _("The customer %(external_id)s exists already.") % {"external_id": facts["external_id"]}
            raise CustomerError({"external_id": taken}) from None
        raise
    _add_subjects(customer, keys)
    audit.record(
        action="customer.created",
        object_type="customer",
        object_id=customer.external_id,
        customer_id=customer.pk,
        actor=actor,
        now=now,
        after={field: _as_json(getattr(customer, field)) for field in facts} | {"subject_keys": sorted(keys)},
    )
    return customer


@transaction.atomic
def update_customer(*, customer_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Customer:
    """
    Change the given fields of a customer, and its keys where `subject_keys` is among them; locks the customer.

    The external id stays for good. What is the same already is not written; if all is, nothing is audited. Audited as
    customer.updated with only what changed. A new time zone counts all usage of the customer again, by its new days.

    :raises CustomerError: for a bad value, a key of another customer, a currency that is in use, or a time zone whose days
        cannot be counted again
    :raises Customer.DoesNotExist: if there is none
    """
    customer = lock_customer(customer_id)
    facts = checked({field: value for field, value in changes.items() if field != "subject_keys"})
    if facts.pop("external_id", customer.external_id) != customer.external_id:
        raise CustomerError({"external_id": _("The external id of a customer never changes.")})
    changed = {field: value for field, value in facts.items() if getattr(customer, field) != value}
    before = {field: _as_json(getattr(customer, field)) for field in changed}
    after = {field: _as_json(value) for field, value in changed.items()}
    for field, value in changed.items():
        setattr(customer, field, value)
    if changed:
        after_zone_change = _zone_changes(customer) if "timezone" in changed else []
        _save(customer, changed)
        for follow in after_zone_change:
            follow()
    if "subject_keys" in changes:
        had, has = _replace_subjects(customer, checked_keys(changes["subject_keys"]))
        if had != has:
            before["subject_keys"], after["subject_keys"] = had, has
    if after:
        audit.record(
            action="customer.updated",
            object_type="customer",
            object_id=customer.external_id,
            customer_id=customer.pk,
            actor=actor,
            now=now,
            before=before,
            after=after,
        )
    return customer


def archive_customer(*, customer_id: int, actor: Actor, now: datetime) -> Customer:
    """
    Put a customer out of the lists; locks it. Nothing of it is lost, and its subscriptions go on until they are cancelled.

    Idempotent: an archived customer is returned as it is. Audited as customer.archived.

    :raises Customer.DoesNotExist: if there is none
    """
    return _set_archived(customer_id, at=now, action="customer.archived", actor=actor, now=now)


def restore_customer(*, customer_id: int, actor: Actor, now: datetime) -> Customer:
    """
    Bring an archived customer back into the lists; locks it.

    Idempotent: one that is not archived is returned as it is. Audited as customer.restored.

    :raises Customer.DoesNotExist: if there is none
    """
    return _set_archived(customer_id, at=None, action="customer.restored", actor=actor, now=now)


@transaction.atomic
def _set_archived(customer_id: int, *, at: datetime | None, action: str, actor: Actor, now: datetime) -> Customer:
    customer = lock_customer(customer_id)
    if (customer.archived_at is None) == (at is None):
        return customer
    before, customer.archived_at = customer.archived_at, at
    customer.save(update_fields=["archived_at"])
    audit.record(
        action=action,
        object_type="customer",
        object_id=customer.external_id,
        customer_id=customer.pk,
        actor=actor,
        now=now,
        before={"archived_at": _as_json(before)},
        after={"archived_at": _as_json(at)},
    )
    return customer


def _zone_changes(customer: Customer) -> list[Callable[[], None]]:
    try:
        return zone_changes(customer.pk)
    except ZoneIsFixed as error:
        raise CustomerError({"timezone": str(error)}) from None


def _save(customer: Customer, changed: Iterable[str]) -> None:
    try:
        with transaction.atomic():
            customer.save(update_fields=list(changed))
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.RestrictViolation):
            in_use = _("This is fixed: the customer has subscriptions that depend on it.")
            raise CustomerError({field: in_use for field in _FIXED_BY_USE if field in changed}) from None
        raise


def _replace_subjects(customer: Customer, keys: Sequence[str]) -> tuple[list[str], list[str]]:
    """Make the external id and the keys the customer's subjects; return the sorted keys before and after."""
    had = set(customer.subjects.values_list("key", flat=True))
    has = {customer.external_id, *keys}
    customer.subjects.filter(key__in=had - has).delete()
    _add_subjects(customer, sorted(has - had))
    return sorted(had), sorted(has)


def _add_subjects(customer: Customer, keys: Sequence[str]) -> None:
    try:
        with transaction.atomic():
            Subject.objects.bulk_create(Subject(customer=customer, key=key) for key in keys)
    except IntegrityError as error:
        if not isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            raise
        taken = Subject.objects.filter(key__in=keys).select_related("customer").order_by("key").first()
        owner = {"key": ascii(taken.key), "owner": taken.customer.external_id} if taken else None
        message = _("The key %(key)s belongs to the customer %(owner)s.") % owner if owner else _("A key is in use.")
        # The external id is a key as well, so it may be the one to blame.
        field = "external_id" if taken and taken.key == customer.external_id else "subject_keys"
        raise CustomerError({field: message}) from None


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, datetime) else value
