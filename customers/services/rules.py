"""What each fact about a customer must look like. Nothing here reads or writes the database."""

import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from squill.lib import currency as currencies

# Field → the most characters its column holds. Texts are stripped of space at both ends.
TEXT_FIELDS: Final[Mapping[str, int]] = {
    "name": 255,
    "legal_name": 255,
    "address_line1": 255,
    "address_line2": 255,
    "postal_code": 32,
    "city": 128,
    "region": 128,
    "tax_id": 64,
    "purchase_order": 64,
}
MAX_SUBJECTS: Final = 1000
_KEY_LENGTH: Final = 255
_MAX_TERMS_DAYS: Final = 365
# Not in CLDR as countries, or not a country that one can live in.
_NOT_COUNTRIES: Final = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


class CustomerError(Exception):
    """A change of a customer that was refused; `errors` has a sentence for each field, under "" where no field is to blame."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" if field else message for field, message in errors.items()))
        self.errors = dict(errors)


def checked(facts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the facts as they are stored: stripped, codes in capitals, decimals exact.

    :raises CustomerError: naming every field that is unknown or has a value that cannot be used
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for field, value in facts.items():
        rule = _RULES.get(field)
        if rule is None:
            errors[field] = _("There is no such field.")
            continue
        try:
            values[field] = rule(value)
        except ValueError as error:
            errors[field] = str(error)
    if errors:
        raise CustomerError(errors)
    return values


def checked_key(value: object) -> str:
    """
    Return an external id or subject key: 1 to 255 printable characters, no space at its ends.

    It is compared byte for byte, so it is not changed in any way.

    :raises ValueError: with a sentence for a person
    """
    if not isinstance(value, str) or not value:
        raise ValueError(_("Write at least one character."))
    if len(value) > _KEY_LENGTH:
        raise ValueError(_("Write at most %(limit)d characters.") % {"limit": _KEY_LENGTH})
    if not value.isprintable() or value != value.strip():
        raise ValueError(_("Use printable characters only, with no space at the beginning or end."))
    return value


def checked_keys(value: object) -> list[str]:
    """
    Return subject keys, each once, in their order.

    :raises CustomerError: naming the key that cannot be used
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise CustomerError({"subject_keys": _("Write a list of texts.")})
    keys: dict[str, None] = {}
    for key in value:
        try:
            keys[checked_key(key)] = None
        except ValueError as error:
            raise CustomerError({"subject_keys": f"{key!a}: {error}"}) from None
    if len(keys) > MAX_SUBJECTS:
        raise CustomerError({"subject_keys": _("A customer has at most %(limit)d keys.") % {"limit": MAX_SUBJECTS}})
    return list(keys)


def _text(limit: int, *, required: bool = False) -> Callable[[object], str]:
    def rule(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(_("Write a text."))
        text = value.strip()
        if required and not text:
            raise ValueError(_("Write at least one character."))
        if len(text) > limit:
            raise ValueError(_("Write at most %(limit)d characters.") % {"limit": limit})
        if not text.isprintable():
            raise ValueError(_("Use printable characters only, on one line."))
        return text

    return rule


def _email(value: object) -> str:
    text = _text(254)(value)
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise ValueError(_("Write an e-mail address such as billing@example.com.")) from None
    return text


def _country(value: object) -> str:
    code = _text(2)(value).upper()
    if code and code not in _countries():
        raise ValueError(_("Write the two letters of ISO 3166, such as DE or US."))
    return code


def _currency(value: object) -> str:
    code = _text(3)(value).upper()
    if code not in currencies.CODES:
        raise ValueError(_("Write an ISO 4217 code such as EUR or USD."))
    return code


def _timezone(value: object) -> str:
    name = _text(64)(value)
    if name not in _zones():
        raise ValueError(_("Write a zone of the IANA database, such as Europe/Berlin or UTC."))
    return name


def _locale(value: object) -> str:
    tag = _text(16)(value).replace("_", "-")
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        raise ValueError(_("Write a language tag such as en, de or pt-BR.")) from None
    return tag


def _tax_rate(value: object) -> Decimal | None:
    if value is None or value == "":
        return None  # the tax rules decide
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(_("Write a percentage as a decimal number, such as 19 or 7.7."))
    try:
        rate = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise ValueError(_("Write a percentage as a decimal number, such as 19 or 7.7.")) from None
    if not rate.is_finite() or not 0 <= rate <= 100:
        raise ValueError(_("Write a percentage from 0 to 100."))
    decimals = -int(rate.normalize().as_tuple().exponent)
    if decimals > 4:
        raise ValueError(_("Write at most 4 decimals."))
    return rate


def _payment_terms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MAX_TERMS_DAYS:
        raise ValueError(_("Write a whole number of days from 0 to %(limit)d.") % {"limit": _MAX_TERMS_DAYS})
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


@cache
def _countries() -> frozenset[str]:
    codes = map(str, Locale.parse("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _NOT_COUNTRIES


_RULES: Final[Mapping[str, Callable[[object], Any]]] = {
    **{field: _text(limit, required=field == "name") for field, limit in TEXT_FIELDS.items()},
    "external_id": checked_key,
    "email": _email,
    "country": _country,
    "currency": _currency,
    "timezone": _timezone,
    "locale": _locale,
    "tax_rate_pct": _tax_rate,
    "payment_terms_days": _payment_terms,
}
FIELDS: Final = frozenset(_RULES)
