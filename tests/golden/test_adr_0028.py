"""The worked example of ADR 0028: two coupons and a credit on three months, the first billed twice."""

import pytest

from billing.invoicing.voiding import void_invoice
from billing.models import Invoice
from billing.reconciliation.credits import check_coupons, check_credits
from billing.reconciliation.invoices import check_invoices
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, send_usage, subscribe
from tests.billing.reductions.reduced import coupon, discounts, entries, grant, redeem, totals

pytestmark = pytest.mark.django_db

CATALOG = """
meters: [{code: calls, name: Calls, event_type: call, aggregation: sum, value: n}]
plans:
  - code: api
    name: API
    currency: EUR
    charges:
      - {code: fee, name: Fee, model: flat, amount: "30"}
      - {code: calls, name: Calls, meter: calls, model: per_unit, unit_amount: "0.01"}
"""


def test_coupons_before_tax_credits_after_it_and_all_back_from_a_void_invoice() -> None:
    make_catalog(CATALOG)
    acme = make_customer(tax_rate_pct="20")
    subscribe(acme, "api")
    coupon("WELCOME", percent="10", duration="periods", period_count=2)
    coupon("CALLS5", amount_minor=500, duration="forever", charge_codes=["calls"])
    redeem(acme, "WELCOME")
    redeem(acme, "CALLS5")
    prepaid = grant(acme, 4000, "prepaid", kind="paid", cost_basis_minor=4000)
    send_usage(acme, "call", 2000, "2026-01-10")

    bill("2026-02-01")
    first = Invoice.objects.get()
    assert discounts(first) == [("WELCOME", 500), ("CALLS5", 500)]
    assert list(first.lines.order_by("position").values_list("charge_code", "discount_minor")) == [("fee", 300), ("calls", 700)]
    assert totals(first) == (5000, 1000, 800, 4800, 4000, 800)

    void_invoice(invoice_id=first.pk, reason="wrong buyer", actor=ACTOR, now=at("2026-02-02"))
    bill("2026-02-03")
    second = Invoice.objects.latest("pk")
    assert (discounts(second), totals(second)) == ([("WELCOME", 500), ("CALLS5", 500)], (5000, 1000, 800, 4800, 4000, 800))
    assert entries(prepaid) == [("granted", 4000), ("used", -4000), ("returned", 4000), ("used", -4000)]

    bill("2026-04-01")
    february, march = Invoice.objects.order_by("-pk")[:2][::-1]
    assert (discounts(february), totals(february)) == ([("WELCOME", 300)], (3000, 300, 540, 3240, 0, 3240))
    assert (discounts(march), totals(march)) == ([], (3000, 0, 600, 3600, 0, 3600))
    assert [*check_credits(), *check_coupons(), *check_invoices()] == []
