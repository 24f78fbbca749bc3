"""Enter rates and registrations. Nothing is deleted: what no longer holds gets the first day without it."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from billing.catalog.values import is_tax_class
from billing.models import BillingEntity, TaxRate, TaxRegistration
from billing.tax.territories import place_of
from billing.tax.values import EU_COUNTRIES, EXEMPT, TAXED_BY_REGION
from billing.tax.vat_ids import VatIdError, check
from customers.audit import record
from customers.services.rules import CustomerError, checked
from squill.lib.actor import Actor
from squill.lib.decimals import plain

_RATE_FIELDS: Final = ("country", "region", "tax_class", "rate_pct", "label", "valid_from", "valid_until")
_REGISTRATION_FIELDS: Final = ("country", "region", "tax_id", "is_one_stop_shop", "valid_from", "valid_until")
_LONGEST_LABEL: Final = 32


class TaxEntryError(Exception):
    """Facts that cannot be entered; `errors` has a sentence for each field, under "" where no field is to blame."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" if field else message for field, message in errors.items()))
        self.errors = dict(errors)


@transaction.atomic
def save_tax_rate(*, facts: Mapping[str, Any], actor: Actor, now: datetime, rate_id: int | None = None) -> TaxRate:
    """
    Enter a rate, or change the one with the id. Audited as tax_rate.created or tax_rate.updated.

    Final documents keep their own; drafts and previews take the rate when they are worked out next.

    :param facts: columns of TaxRate by name; what a new rate leaves out has the model's default
    :raises TaxEntryError: naming every field that cannot be used
    :raises TaxRate.DoesNotExist: if there is none with the id
    """
    rate = TaxRate.objects.select_for_update().get(pk=rate_id) if rate_id else TaxRate()
    before = _told(rate, _RATE_FIELDS) if rate_id else {}
    for name in _RATE_FIELDS:
        setattr(rate, name, facts.get(name, getattr(rate, name)))
    errors = _check_place(rate) | _check_days(rate)
    rate.rate_pct = _take("tax_rate_pct", rate.rate_pct, errors, field="rate_pct")
    if rate.rate_pct is None and "rate_pct" not in errors:
        errors["rate_pct"] = _("Write a percentage, such as 7.25; 0 where nothing is due.")
    if not is_tax_class(rate.tax_class):
        errors["tax_class"] = _("Write small letters, digits, - and _ only: standard, reduced, or a class of your own.")
    elif rate.tax_class == EXEMPT:
        errors["tax_class"] = _("What is exempt has no rate: charges with this class bear none.")
    rate.label = str(rate.label or "").strip()
    if len(rate.label) > _LONGEST_LABEL or not rate.label.isprintable():
        errors["label"] = _("Write at most %(limit)d characters, on one line.") % {"limit": _LONGEST_LABEL}
    _save(rate, errors, _("There is a rate of this place and class from that day already: change that one."))
    after = _told(rate, _RATE_FIELDS)
    _record("tax_rate", str(rate), before, after, actor=actor, now=now)
    return rate


@transaction.atomic
def save_tax_registration(
    *, entity: BillingEntity, facts: Mapping[str, Any], actor: Actor, now: datetime, registration_id: int | None = None
) -> TaxRegistration:
    """
    Enter where a seller is registered, or change the entry with the id. Audited as tax_registration.created or .updated.

    :param facts: columns of TaxRegistration by name; what a new one leaves out has the model's default
    :raises TaxEntryError: naming every field that cannot be used
    :raises TaxRegistration.DoesNotExist: if there is none with the id
    """
    found = TaxRegistration.objects.select_for_update().get(pk=registration_id) if registration_id else TaxRegistration()
    before = _told(found, _REGISTRATION_FIELDS) if registration_id else {}
    found.billing_entity = entity
    for name in _REGISTRATION_FIELDS:
        setattr(found, name, facts.get(name, getattr(found, name)))
    errors = _check_place(found) | _check_days(found)
    found.tax_id = _take("tax_id", found.tax_id, errors)
    if not errors:
        errors |= _check_registration(found)
    _save(found, errors, _("There is a registration of this place from that day already: change that one."))
    after = {"billing_entity": entity.code, **_told(found, _REGISTRATION_FIELDS)}
    _record("tax_registration", f"{entity.code} {found}", before, after, actor=actor, now=now)
    return found


def _check_registration(found: TaxRegistration) -> dict[str, str]:
    if found.is_one_stop_shop:
        if found.country not in EU_COUNTRIES:
            return {"country": _("The one-stop shop is the EU's: name the member state in which the seller has entered it.")}
        return {"region": _("The one-stop shop is for all of the EU: leave this empty.")} if found.region else {}
    if found.country in TAXED_BY_REGION and not found.region:
        return {"region": _("There the states tax, each by itself: name one, and enter the others beside it.")}
    try:
        check(found.country, found.tax_id)
    except VatIdError as error:
        return {"tax_id": str(error)}
    return {}


def _check_place(row: TaxRate | TaxRegistration) -> dict[str, str]:
    """Check country and region, and write the region as places have it."""
    errors: dict[str, str] = {}
    row.country = _take("country", row.country, errors)
    row.region = _take("region", row.region, errors)
    if errors:
        return errors
    if not row.country:
        return {"country": _("Write the two letters of ISO 3166, such as DE or US.")}
    place = place_of(row.country, row.region)
    if place.country != row.country:
        message = _("For tax this belongs to %(country)s: enter it there, with the region %(region)s if it has one.")
        return {"country": message % {"country": place.country, "region": place.region or "–"}}
    if place.region != row.region.casefold():
        row.region = place.region
    return {}


def _check_days(row: TaxRate | TaxRegistration) -> dict[str, str]:
    if not isinstance(row.valid_from, date):
        return {"valid_from": _("Write the first day on which it holds.")}
    if row.valid_until is not None and row.valid_until <= row.valid_from:
        return {"valid_until": _("It is the first day without it, so write one after the first day; or leave it empty.")}
    return {}


def _take(rule: str, value: Any, errors: dict[str, str], *, field: str = "") -> Any:
    """Return a value by the rule that customers have for such a field."""
    try:
        return checked({rule: value})[rule]
    except CustomerError as error:
        errors[field or rule] = error.errors[rule]
        return value


def _save(row: TaxRate | TaxRegistration, errors: dict[str, str], taken: str) -> None:
    if errors:
        raise TaxEntryError(errors)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # all but the unique constraint was checked
        raise TaxEntryError({"valid_from": taken}) from None


def _told(row: TaxRate | TaxRegistration, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _as_json(getattr(row, name)) for name in names}


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value


def _record(what: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    changed = [key for key in after if not before or before.get(key, after[key]) != after[key]]
    if not changed:
        return
    record(
        action=f"{what}.updated" if before else f"{what}.created",
        object_type=what,
        object_id=name,
        actor=actor,
        now=now,
        before={key: before[key] for key in changed if key in before},
        after={key: after[key] for key in changed},
    )
