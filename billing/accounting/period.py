"""Which month of which seller is exported."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _

from billing.models import BillingEntity
from squill.lib.refusal import Refused

_MONTH: Final = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


class NotExported(Refused):
    """A month cannot be exported; `code` is stable, the message is for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A month of a seller, in the days of the seller."""

    entity: BillingEntity
    first_day: date  # inclusive
    end_day: date  # exclusive

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.entity.code}-{self.first_day:%Y-%m}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What the SQL of this package asks for."""
        return {
            "entity": self.entity.pk,
            "is_default": self.entity.is_default,
            "zone": self.entity.timezone,
            "first": self.first_day,
            "end": self.end_day,
        }

    def issued(self, prefix: str = "") -> Q:
        """Return the condition on documents of the seller that were issued in the month; `prefix` leads to the document."""
        return Q(
            **{
                f"{prefix}billing_entity": self.entity,
                f"{prefix}issued_on__gte": self.first_day,
                f"{prefix}issued_on__lt": self.end_day,
            }
        )


def month_of(text: str, *, entity_code: str = "") -> Period:
    """
    Read a month such as 2026-03. The seller need not be named where there is one only.

    :raises NotExported: month_unreadable, entity_not_found, or entity_missing (there are several)
    """
    if not _MONTH.fullmatch(text):
        raise NotExported(_("Write a month, such as 2026-03."), code="month_unreadable")
    first_day = date.fromisoformat(f"{text}-01")
    end_day = date(first_day.year + first_day.month // 12, first_day.month % 12 + 1, 1)
    return Period(entity=_entity(entity_code), first_day=first_day, end_day=end_day)


def _entity(code: str) -> BillingEntity:
    entities = list(BillingEntity.objects.order_by("code"))
    names = ", ".join(entity.code for entity in entities)
    if code:
        found = next((entity for entity in entities if entity.code == code), None)
        if found is None:
            message = _("There is no billing entity %(code)s. There are: %(names)s.")
            raise NotExported(message % {"code": code, "names": names or _("none")}, code="entity_not_found")
        return found
    if len(entities) != 1:
        message = (
            _("Say which billing entity: %(names)s.") if entities else _("There is no billing entity, and nothing to export.")
        )
        raise NotExported(message % {"names": names} if entities else message, code="entity_missing")
    return entities[0]
