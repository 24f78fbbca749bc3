"""Which tax a customer would be charged today, and why: shown on its page."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from billing.admin.shown import locale
from billing.invoicing.entities import billing_of
from billing.tax.advice import tax_advice, vat_id_trouble
from billing.tax.errors import TaxUnknown
from billing.tax.explaining import why
from billing.tax.values import Supply
from customers.models import Customer
from squill.web import formatting


def tax_box(customer: Customer, *, now: datetime) -> dict[str, Any]:
    """Return the tax of a standard charge, why it is so, what documents say, and what is wrong with the VAT id. Four queries."""
    billing = billing_of(customer, is_preview=True)
    today = now.astimezone(ZoneInfo(billing.entity.timezone)).date()
    advice = tax_advice(entity=billing.entity, customer=customer, profile=billing.profile, day=today)
    trouble = vat_id_trouble(customer)
    try:
        tax = advice.of(tax_class="standard", rate_override=None)
        reason = why(advice.decision(Supply(day=today)))
    except TaxUnknown as unknown:
        return {"rate": _("not known"), "why": str(unknown), "note": "", "trouble": trouble, "is_bad": True}
    return {
        "rate": f"{tax.label} {formatting.format_percent(tax.rate, locale())}",
        "why": reason,
        "note": tax.note,
        "trouble": trouble,
        "is_bad": bool(trouble),
    }
