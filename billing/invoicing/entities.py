"""Which legal seller bills a customer, and under which terms. One default entity, made with a neutral name at first."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from billing.models import BillingEntity, BillingProfile, NumberSeries
from customers.models import Customer


@dataclass(frozen=True, slots=True)
class Billing:
    """How a customer is billed: by which seller, and what its own profile says (None where it has none)."""

    entity: BillingEntity
    profile: BillingProfile | None

    @property
    def grace_minutes(self) -> int:
        """How long a draft waits for late usage before it is made final by itself."""
        for source in (self.profile, self.entity):
            if source is not None and source.grace_minutes is not None:
                return source.grace_minutes
        return int(settings.SQUILL_BILLING_GRACE_MINUTES)

    @property
    def finalizes_by_itself(self) -> bool:
        """Whether drafts are made final without a person."""
        if self.profile is not None and self.profile.finalizes_by_itself is not None:
            return self.profile.finalizes_by_itself
        return self.entity.finalizes_by_itself


def billing_of(customer: Customer, *, is_preview: bool = False) -> Billing:
    """
    Return how a customer is billed. Up to two queries; the first call of a new deployment makes the default entity.

    With `is_preview` nothing is made: the entity may be unsaved and neutral.
    """
    profile = BillingProfile.objects.select_related("billing_entity").filter(customer_id=customer.pk).first()
    if profile is not None and profile.billing_entity is not None:
        return Billing(profile.billing_entity, profile)
    return Billing(known_default_entity() if is_preview else default_entity(), profile)


def default_entity() -> BillingEntity:
    """Return the entity that bills where nothing else says so; the first call of a new deployment makes it. One query."""
    entity = known_default_entity()
    if entity.pk is None:
        neutral = {"code": entity.code, "name": entity.name, "legal_name": entity.legal_name}
        entity, _created = BillingEntity.objects.get_or_create(is_default=True, defaults=neutral)
    return entity


def known_default_entity() -> BillingEntity:
    """Return the default entity, unsaved and neutral where there is none yet; for previews, which write nothing."""
    known = BillingEntity.objects.filter(is_default=True).first()
    return known or BillingEntity(is_default=True, code="default", name=_("Your company"), legal_name=_("Your company"))


_PREFIXES = {NumberSeries.Kind.INVOICE: "INV", NumberSeries.Kind.CREDIT_NOTE: "CN"}


def ensure_series(entity: BillingEntity, *, kind: NumberSeries.Kind = NumberSeries.Kind.INVOICE) -> NumberSeries:
    """Return the entity's series for a kind of document; the first call makes one with a neutral pattern. Idempotent."""
    series, _created = NumberSeries.objects.get_or_create(
        billing_entity=entity, kind=kind, defaults={"pattern": _neutral_pattern(entity, kind)}
    )
    return series


def known_series(entity: BillingEntity, *, kind: NumberSeries.Kind) -> NumberSeries:
    """Return the entity's series, unsaved and neutral where there is none yet; for previews, which write nothing. One query."""
    known = NumberSeries.objects.filter(billing_entity=entity, kind=kind).first()
    return known or NumberSeries(billing_entity=entity, kind=kind, pattern=_neutral_pattern(entity, kind))


def _neutral_pattern(entity: BillingEntity, kind: NumberSeries.Kind) -> str:
    prefix = _PREFIXES[kind] if entity.is_default else f"{_PREFIXES[kind]}-{entity.code.upper()}"
    return prefix + "-{number:06}"
