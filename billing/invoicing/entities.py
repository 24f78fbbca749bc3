"""Which legal seller bills. One default entity, made with a neutral name where a deployment has not written its own yet."""

from django.utils.translation import gettext as _

from billing.models import BillingEntity, NumberSeries

DEFAULT_PREFIX = "INV"


def default_entity() -> BillingEntity:
    """Return the entity that bills; the first call of a new deployment makes it. One query."""
    entity = known_default_entity()
    if entity.pk is None:
        neutral = {"code": entity.code, "name": entity.name, "legal_name": entity.legal_name}
        entity, _created = BillingEntity.objects.get_or_create(is_default=True, defaults=neutral)
    return entity


def known_default_entity() -> BillingEntity:
    """Return the entity that bills, unsaved and neutral where there is none yet; for previews, which write nothing."""
    known = BillingEntity.objects.filter(is_default=True).first()
    return known or BillingEntity(is_default=True, code="default", name=_("Your company"), legal_name=_("Your company"))


def ensure_series(entity: BillingEntity, *, kind: str = "invoice") -> None:
    """Make the entity's counter for a kind of document, so that it can be locked. Idempotent."""
    prefix = DEFAULT_PREFIX if entity.is_default else f"{DEFAULT_PREFIX}-{entity.code.upper()}"[:16]
    NumberSeries.objects.get_or_create(billing_entity=entity, kind=kind, defaults={"prefix": prefix})
