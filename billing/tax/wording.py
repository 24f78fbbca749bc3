"""
The words that documents bear: what the tax is called, and what the law wants printed where none is charged.

The word follows the document's language, and the country where the same language has another word for the same thing: German says
USt. of German and Austrian tax and MWST of Swiss. All are marked with the context "tax" or "tax in Switzerland".
"""

from typing import Final

from django.utils.translation import pgettext

from billing.tax.values import EU_COUNTRIES, TAXED_BY_REGION, Buyer, Decision, Treatment

_VAT: Final = EU_COUNTRIES | frozenset(
    "GB NO IS TR UA RS AL BA ME MK MD GE AM KZ "
    "ZA NG KE EG MA TN GH AE SA BH OM IL KR CN TH PH VN ID TW "
    "MX AR CL CO PE UY EC BO PY CR DO GT SV VE".split()
)
_GST: Final = frozenset({"AU", "NZ", "SG", "IN", "CA", "JE", "MV", "PG", "PK"})


def label_of(country: str) -> str:
    """Return what the tax of a country is called in the active language; "Tax" where neither is known."""
    if country == "CH":
        return pgettext("tax in Switzerland", "VAT")
    if country in _VAT:
        return pgettext("tax", "VAT")
    if country in _GST:
        return pgettext("tax", "GST")
    if country == "US":
        return pgettext("tax", "Sales tax")
    if country == "JP":
        return pgettext("tax", "Consumption tax")
    return pgettext("tax", "Tax")


def note_of(decision: Decision, buyer: Buyer) -> str:
    """Return the words that the law wants on the document, in the active language; "" where it wants none."""
    treatment, label = decision.treatment, label_of(decision.place.country)
    if treatment is Treatment.EXEMPT_CUSTOMER:
        return buyer.exemption_reason
    if treatment is Treatment.EXEMPT_SUPPLY:
        return pgettext("tax", "Exempt from %(tax)s.") % {"tax": label}
    if treatment is Treatment.REVERSE_CHARGE:
        return pgettext("tax", "Reverse charge: the customer owes the tax (Article 196 of Directive 2006/112/EC).")
    if treatment is Treatment.RECIPIENT_ACCOUNTS:
        return pgettext("tax", "Reverse charge: the customer owes the tax.")
    if treatment is not Treatment.EXPORT or decision.place.country in TAXED_BY_REGION:
        return ""
    if decision.place.is_in_eu:
        return pgettext(
            "tax",
            "Not subject to VAT: the service is supplied outside the European Union "
            "(Articles 44, 58 and 59 of Directive 2006/112/EC).",
        )
    if decision.place.country == "GB":
        return pgettext("tax", "Outside the scope of UK VAT.")
    return pgettext("tax", "Not subject to %(tax)s: the service is supplied abroad.") % {"tax": label}
