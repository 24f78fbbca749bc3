"""A March with everything in it, its amounts worked out by hand; and an export read back."""

import csv
import io
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.accounting.export import export_month
from billing.accounting.period import month_of
from billing.accounting.totals import Totals
from billing.invoicing.moves import move_invoice
from billing.invoicing.voiding import void_invoice
from billing.models import Credit, CreditEntry, CreditNote, CreditNoteLine, CreditNoteTax, Invoice, NumberCounter, NumberSeries
from customers.models import Customer
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, subscribe
from tests.billing.paying import numbered, pay, pay_for, reverse

HOSTILE = '=HYPERLINK("http://evil.example","pay")'


def february() -> Mapping[str, Customer]:
    """
    Bill acme, evil and third 12.00 (10.00 and 20 % tax) each on 1 February: INV-000001 to INV-000003.

    5.00 of the first and all of the third are paid in February, so 7.00 + 12.00 = 19.00 are open. evil has a credit of 3.00.
    """
    make_catalog()
    names = {"acme": "Acme", "evil": HOSTILE, "third": "@SUM(A1:A9)"}
    customers = {key: make_customer(key, name=name, tax_rate_pct="20") for key, name in names.items()}
    for customer in customers.values():
        subscribe(customer)
    bill("2026-02-01")
    pay(numbered(1), 500, "feb-1", received_on=at("2026-02-10").date(), now=at("2026-02-10"))
    pay(numbered(3), 1200, "feb-3", received_on=at("2026-02-20").date(), now=at("2026-02-20"))
    credit = Credit.objects.create(
        customer=customers["evil"],
        kind="promotional",
        name="+Welcome",
        reference="welcome",
        currency="EUR",
        amount_minor=300,
        granted_at=at("2026-02-15"),
    )
    CreditEntry.objects.create(credit=credit, kind="granted", amount_minor=300, recorded_at=at("2026-02-15"), recorded_by="tests")
    return customers


def march(customers: Mapping[str, Customer]) -> None:
    """
    What happens in March. INV-000004 to INV-000006 are of 12.00 each; evil's credit pays 3.00 of INV-000005.

    acme pays 20.00: 7.00 and 12.00 and 1.00 left over. INV-000006 is void. A credit note takes 1.20 off INV-000005; the 7.80 that
    are left of it are paid, and bounce. INV-000002 is given up. What is open: 7.80.
    """
    bill("2026-03-01")
    pay_for(customers["acme"], 2000, "-mar", received_on=at("2026-03-05").date(), now=at("2026-03-06"))
    void_invoice(invoice_id=numbered(6).pk, reason="wrong", actor=ACTOR, now=at("2026-03-08"))
    credit_note(numbered(5), "CN-000001", 100, 20, "2026-03-10")
    give_up(numbered(2), "2026-03-12")
    bounced = pay(numbered(5), 780, "mar-5", received_on=at("2026-03-15").date(), now=at("2026-03-15"))
    reverse(bounced, "=cmd", "2026-03-20")


def april(customers: Mapping[str, Customer]) -> None:
    """What happens later, and must leave March as it was: all that is open is paid, what was given up as well."""
    bill("2026-04-01")
    pay(numbered(5), 780, "apr-5", received_on=at("2026-04-02").date(), now=at("2026-04-02"))
    pay(numbered(2), 1200, "apr-2", received_on=at("2026-04-05").date(), now=at("2026-04-05"))


def credit_note(invoice: Invoice, number: str, net_minor: int, tax_minor: int, issued_on: str) -> None:
    """Write a credit note of the invoice's first line, taken off what is left to pay."""
    entity = invoice.billing_entity
    series, _ = NumberSeries.objects.get_or_create(
        billing_entity=entity, kind="credit_note", defaults={"pattern": "CN-{number:06}"}
    )
    counter, _ = NumberCounter.objects.get_or_create(series=series)
    with transaction.atomic():
        counter.last_number += 1
        counter.save()
        note = CreditNote.objects.create(
            invoice=invoice,
            customer=invoice.customer,
            billing_entity=entity,
            number=number,
            counter=counter,
            sequence=counter.last_number,
            reason="goodwill",
            explanation="=goodwill",
            reference=number,
            currency=invoice.currency,
            issued_on=issued_on,
            issued_at=at(issued_on),
            subtotal_minor=net_minor,
            tax_minor=tax_minor,
            total_minor=net_minor + tax_minor,
            to_invoice_minor=net_minor + tax_minor,
        )
        line = invoice.lines.order_by("position")[0]
        CreditNoteLine.objects.create(
            credit_note=note,
            position=1,
            invoice_line=line,
            description=line.description,
            quantity=1,
            exact_amount=Decimal(net_minor) / 100,
            amount_minor=net_minor,
        )
        CreditNoteTax.objects.create(credit_note=note, rate_pct=20, base_minor=net_minor, amount_minor=tax_minor)
        CreditNote.objects.filter(pk=note.pk).update(snapshot={"number": number, "buyer": {"legal_name": invoice.customer.name}})
        Invoice.objects.filter(pk=invoice.pk).update(credited_minor=net_minor + tax_minor)


def give_up(invoice: Invoice, when: str) -> None:
    """Move an invoice to uncollectible, with its audit event."""
    move_invoice(invoice, Invoice.Status.UNCOLLECTIBLE, action="invoice.written_off", actor=ACTOR, now=at(when))


def exported(month: str = "2026-03", **options: Any) -> tuple[dict[str, bytes], Totals]:
    """The files of a month as they are, by name, and its totals."""
    file = io.BytesIO()
    totals = export_month(month_of(month), file, **options)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}, totals


def rows(files: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    """The rows of a file by their heads."""
    return list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode(), newline="")))


def summed(found: list[dict[str, str]], column: str = "amount", **conditions: str) -> Decimal:
    """The sum of a column over the rows whose values are these."""
    chosen = [row for row in found if all(row[name] == value for name, value in conditions.items())]
    return sum((Decimal(row[column]) for row in chosen), Decimal(0))
