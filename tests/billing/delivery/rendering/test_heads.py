from datetime import date

from billing.delivery.rendering.heads import card, facts, heading
from billing.invoicing.snapshot import InvoiceSnapshot, Related
from tests.billing.delivery.rendering.snapshots import credit_note, receipt, snapshot


def told(value: InvoiceSnapshot, *, estimate: bool = False) -> tuple[str, str, str, str]:
    top = card(value, estimate=estimate)
    return heading(value, estimate=estimate), top.label, top.value, top.small


def test_each_kind_begins_with_the_amount_that_it_is_about() -> None:
    assert told(snapshot()) == ("Invoice", "Amount due", "€1,804.62", "Due by 1 December 2026")
    assert told(snapshot(paid_minor=180_462)) == ("Invoice", "Amount due", "€0.00", "Nothing to pay")
    assert told(snapshot(), estimate=True)[:3] == ("Estimate", "Estimated amount", "€1,804.62")
    assert told(credit_note()) == ("Credit note", "Total credited", "€66.42", "Corrects invoice NL-2026-000417")
    assert told(credit_note(related=()))[3] == ""
    assert told(receipt()) == ("Receipt", "Amount received", "€2,000.00", "Thank you for your payment.")


def test_each_kind_has_the_facts_it_is_filed_by() -> None:
    assert [(row.label, row.value, row.small) for row in facts(credit_note())] == [
        ("Issue date", "9 November 2026", ""),
        ("Service period", "1 – 31 October 2026", ""),
        ("Corrected invoice", "NL-2026-000417", "1 November 2026"),
        ("Your order number", "PO 4500-88213", ""),
        ("Customer number", "cus_8WQ2M", ""),
    ]
    assert [(row.label, row.value) for row in facts(receipt())] == [
        ("Issue date", "20 November 2026"),
        ("Received on", "19 November 2026"),
        ("Payment method", "Bank transfer"),
        ("Payment reference", "SEPA 2026-11-19 7731"),
        ("Customer number", "cus_8WQ2M"),
    ]


def test_an_invoice_names_the_one_that_it_replaces_and_what_public_buyers_route_by() -> None:
    replaced = Related(number="NL-2026-000410", issued_on=date(2026, 10, 28))

    rows = {row.label: row.value for row in facts(snapshot(related=(replaced, replaced), buyer_reference="04011000-12345-34"))}

    assert rows["Replaces invoice"] == "NL-2026-000410, NL-2026-000410"
    assert rows["Your reference"] == "04011000-12345-34"
