"""How one customer is billed, where that differs from what its seller does: read and changed as a whole, with the trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing.models import BillingEntity, BillingProfile
from customers.audit import record
from customers.locks import lock_customer
from squill.lib.actor import Actor

# What a change may name; `billing_entity` by its code, "" or None for the default one.
MEMBERS: Final = (
    "billing_entity",
    "grace_minutes",
    "finalizes_by_itself",
    "tax_exemption_reason",
    "tax_exemption_code",
    "buyer_reference",
    "reminders_paused",
)
_TEXTS: Final = frozenset({"tax_exemption_reason", "tax_exemption_code", "buyer_reference"})


class ProfileError(Exception):
    """A customer cannot be billed as asked; `errors` has a message for each member."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{member}: {message}" for member, message in errors.items()))
        self.errors = dict(errors)


def billing_profile(customer_id: int) -> BillingProfile:
    """Return how a customer is billed; unsaved, with nothing of its own, where it is billed as all are. One query."""
    known = BillingProfile.objects.select_related("billing_entity").filter(customer_id=customer_id).first()
    return known or BillingProfile(customer_id=customer_id)


@transaction.atomic
def change_billing(*, customer_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime) -> BillingProfile:
    """
    Change how a customer is billed; drafts and final invoices stay, drafts follow when they are worked out next.

    Only the members that are named change (MEMBERS). None leaves grace and finalising to the billing entity, and the entity to
    the default. A change of nothing writes nothing. Locks the customer; audited as customer.billing_changed.

    :raises ProfileError: naming every member that is unknown or has a value that cannot be used
    """
    customer = lock_customer(customer_id)
    profile = billing_profile(customer.pk)
    before = _values(profile)
    wanted = before | {
        name: ("" if value is None and name in _TEXTS else value.strip() if isinstance(value, str) else value)
        for name, value in changes.items()
    }
    wanted["billing_entity"] = wanted["billing_entity"] or None
    _write(profile, wanted)
    after = _values(profile)
    if after == before:
        return profile
    profile.save()
    record(
        action="customer.billing_changed",
        object_type="customer",
        object_id=customer.external_id,
        customer_id=customer.pk,
        actor=actor,
        now=now,
        before={name: value for name, value in before.items() if after[name] != value},
        after={name: value for name, value in after.items() if before[name] != value},
    )
    return profile


def _values(profile: BillingProfile) -> dict[str, Any]:
    entity = profile.billing_entity
    return {"billing_entity": None if entity is None else entity.code} | {name: getattr(profile, name) for name in MEMBERS[1:]}


def _write(profile: BillingProfile, wanted: Mapping[str, Any]) -> None:
    """
    Set the members, not saved.

    :raises ProfileError: if one cannot be used
    """
    errors: dict[str, str] = {name: _("There is no such member.") for name in wanted if name not in MEMBERS}
    code = wanted["billing_entity"]
    entity = BillingEntity.objects.filter(code=code).first() if code is not None else None
    if code is not None and entity is None:
        errors["billing_entity"] = _("There is no billing entity %(code)s.") % {"code": code}
    profile.billing_entity = entity
    for name in MEMBERS[1:]:
        setattr(profile, name, wanted[name])
    try:
        profile.clean_fields(exclude={"customer", "billing_entity"})
    except ValidationError as invalid:
        errors |= {name: " ".join(messages) for name, messages in invalid.message_dict.items()}
    if isinstance(profile.grace_minutes, int) and profile.grace_minutes > 60 * 24 * 60:
        errors["grace_minutes"] = _("Write at most 86400 minutes, which are sixty days.")
    if profile.tax_exemption_code and not profile.tax_exemption_reason:
        errors["tax_exemption_reason"] = _("A code needs its reason, which is printed on invoices.")
    if errors:
        raise ProfileError(errors)
