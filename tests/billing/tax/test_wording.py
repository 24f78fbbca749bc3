from decimal import Decimal

import pytest
from django.utils.translation import override

from billing.tax.values import Buyer, Decision, Place, Treatment
from billing.tax.wording import label_of, note_of


@pytest.mark.parametrize(
    ("country", "label"),
    [
        ("DE", "VAT"),
        ("GB", "VAT"),
        ("CH", "VAT"),
        ("AU", "GST"),
        ("CA", "GST"),
        ("US", "Sales tax"),
        ("JP", "Consumption tax"),
        ("BR", "Tax"),
        ("", "Tax"),
    ],
)
def test_tax_is_called_what_its_country_calls_it(country: str, label: str) -> None:
    with override("en"):
        assert label_of(country) == label


def note(treatment: Treatment, country: str, *, reason: str = "") -> str:
    with override("en"):
        decision = Decision(treatment=treatment, place=Place(country), rate=Decimal(0))
        return note_of(decision, Buyer(exemption_reason=reason))


@pytest.mark.parametrize(
    ("treatment", "country", "words"),
    [
        (Treatment.DOMESTIC, "DE", ""),
        (Treatment.FIXED_RATE, "DE", ""),
        (Treatment.NO_COUNTRY, "", ""),
        (Treatment.NOT_REGISTERED, "US", ""),
        (
            Treatment.REVERSE_CHARGE,
            "FR",
            "Reverse charge: the customer owes the tax (Article 196 of Directive 2006/112/EC).",
        ),
        (Treatment.RECIPIENT_ACCOUNTS, "GB", "Reverse charge: the customer owes the tax."),
        (
            Treatment.EXPORT,
            "DE",
            "Not subject to VAT: the service is supplied outside the European Union "
            "(Articles 44, 58 and 59 of Directive 2006/112/EC).",
        ),
        (Treatment.EXPORT, "GB", "Outside the scope of UK VAT."),
        (Treatment.EXPORT, "AU", "Not subject to GST: the service is supplied abroad."),
        (Treatment.EXPORT, "US", ""),
        (Treatment.EXEMPT_SUPPLY, "DE", "Exempt from VAT."),
    ],
)
def test_law_wants_its_words_printed(treatment: Treatment, country: str, words: str) -> None:
    assert note(treatment, country) == words


def test_reason_of_an_exemption_is_printed_as_it_was_entered() -> None:
    assert note(Treatment.EXEMPT_CUSTOMER, "DE", reason="Steuerfrei nach § 4 Nr. 21 UStG") == "Steuerfrei nach § 4 Nr. 21 UStG"
