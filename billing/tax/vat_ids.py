"""
VAT ids: their form and check digits, by python-stdnum. Whether a number is in use only its issuer (in the EU, VIES) can say.

The prefix is the country's, EL for Greece (Article 215 of Directive 2006/112/EC). XI, of Northern Ireland, is for goods: a
service to it is one to the United Kingdom.
"""

from collections.abc import Callable
from typing import Final

from django.utils.translation import gettext as _
from stdnum.ch import vat as swiss
from stdnum.eu import vat as european
from stdnum.exceptions import InvalidChecksum, InvalidLength, ValidationError
from stdnum.gb import vat as british
from stdnum.no import mva as norwegian

from billing.tax.territories import place_of
from billing.tax.values import EU_COUNTRIES

# Country → what its ids begin with, the usual one first.
_PREFIXES: Final = {country: (country,) for country in sorted(EU_COUNTRIES)} | {
    "GR": ("EL", "GR"),
    "GB": ("GB", "XI"),
    "CH": ("CHE",),
    "NO": ("NO",),
}
_RULES: Final[dict[str, Callable[[str], str]]] = {
    "GB": british.validate,
    "CH": swiss.validate,
    "NO": norwegian.validate,
}


class VatIdError(ValueError):
    """A text that cannot be a VAT id of its country; the message is for a person."""


def check(country: str, text: str) -> str:
    """
    Return a VAT id as it is written without spaces: "DE136695976".

    Ids of other countries than those of the EU, GB, CH and NO are returned without their spaces, unchecked.

    :raises VatIdError: if the prefix is another country's, or the length, the form or the check digits are wrong
    """
    place = place_of(country)
    compact = "".join(character for character in text.upper() if character not in " .-/")
    prefixes = _PREFIXES.get(place.country)
    if prefixes is None or not compact:
        return compact
    prefix = next((prefix for prefix in prefixes if compact.startswith(prefix)), None)
    if prefix is None:
        message = _("A VAT id of %(country)s begins with %(prefix)s: write all of it, as on the certificate.")
        raise VatIdError(message % {"country": place.country, "prefix": prefixes[0]})
    try:
        return _validated(place.country, prefix, compact)
    except InvalidChecksum:
        message = _("The check digits of %(number)s do not match: look for a typing mistake.")
    except InvalidLength:
        message = _("%(number)s has too few or too many characters for a VAT id of %(country)s.")
    except ValidationError:
        message = _("%(number)s is not written as VAT ids of %(country)s are.")
    raise VatIdError(message % {"number": compact, "country": place.country})


def _validated(country: str, prefix: str, compact: str) -> str:
    rule = _RULES.get(country)
    if rule is None:
        number = european.validate(compact)
        return "EL" + number.removeprefix("GR").removeprefix("EL") if country == "GR" else number
    number = rule(compact)
    return number if number.startswith(prefix) else prefix + number
