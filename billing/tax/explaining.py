"""Why a line is taxed as it is, in a sentence for finance staff. The words on documents are billing.tax.wording's."""

from django.utils.translation import gettext as _

from billing.tax.values import Decision, Treatment


def why(decision: Decision) -> str:
    """Say in a sentence what a decision rests on."""
    sentences = {
        Treatment.EXEMPT_CUSTOMER: _("The customer is exempt: its billing profile gives the reason."),
        Treatment.EXEMPT_SUPPLY: _("What is sold is exempt: its charge has the tax class “exempt”."),
        Treatment.FIXED_RATE: _("The customer has a fixed rate, which goes before all rules. Leave it empty to let them decide."),
        Treatment.DOMESTIC: _("Seller and customer are taxed in %(place)s, at its rate."),
        Treatment.DESTINATION: _("The seller is registered where the customer is, so the tax of %(place)s is due."),
        Treatment.ORIGIN: _(
            "A consumer in another EU country, and the seller is neither registered there nor in the one-stop shop: the tax of "
            "%(place)s is due while such sales stay below 10,000 EUR a year."
        ),
        Treatment.REVERSE_CHARGE: _("A business in another EU country with a VAT id of %(place)s: it owes the tax itself."),
        Treatment.RECIPIENT_ACCOUNTS: _("A business with a VAT id of %(place)s, which makes it owe the tax itself."),
        Treatment.EXPORT: _(
            "The customer is outside the tax area of %(place)s, and the seller is not registered where it is: no tax is charged."
        ),
        Treatment.NOT_REGISTERED: _("The seller is not registered where tax would be due: none is charged (Tax registrations)."),
        Treatment.NO_COUNTRY: _("The billing entity has no country, so no tax is charged. Enter its address and its tax id."),
    }
    place = decision.place
    return sentences[decision.treatment] % {"place": f"{place.country} ({place.region})" if place.region else place.country}
