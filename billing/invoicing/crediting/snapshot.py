"""A planned credit note to the value that is printed (billing.invoicing.snapshot)."""

from datetime import date, datetime

import msgspec
from django.utils.text import capfirst
from django.utils.translation import override

from billing.invoicing.crediting.planning import PlannedCreditNote, PlannedLine
from billing.invoicing.snapshot import SNAPSHOT_VERSION, InvoiceSnapshot, Line, LineGroup, Related, TaxTotal, from_json

# One of an amount, as UN/ECE recommendation 20 has it.
_ONE = "C62"


def credit_note_snapshot(
    planned: PlannedCreditNote, *, number: str, explanation: str, issued_on: date, issued_at: datetime | None
) -> InvoiceSnapshot:
    """
    Copy what the credit note prints: seller, buyer and looks as on the invoice that it corrects, whatever they are today.

    `number` is empty and `issued_at` None for a preview. No query.
    """
    invoice = planned.invoice
    said = from_json(invoice.snapshot)
    with override(said.locale):
        reason = capfirst(str(planned.reason.label))
    return msgspec.structs.replace(
        said,
        version=SNAPSHOT_VERSION,
        number=number,
        kind="credit_note",
        issued_on=issued_on,
        due_on=issued_on,
        finalized_at=issued_at,
        payment_url="",
        payment_terms="",
        notes=(),
        reason=f"{reason}: {explanation}" if explanation else reason,
        related=(Related(number=said.number, issued_on=said.issued_on, amount_minor=said.total_minor),),
        lines=tuple(_line(line, position) for position, line in enumerate(planned.lines, start=1)),
        subtotal_minor=planned.subtotal_minor,
        discounts=(),
        discount_minor=planned.discount_minor,
        taxes=tuple(
            TaxTotal(
                rate=tax.row.rate_pct,
                category=tax.row.category,
                label=tax.row.label,
                exemption_code=tax.row.exemption_code,
                note=tax.row.note,
                base_minor=tax.base_minor,
                amount_minor=tax.amount_minor,
            )
            for tax in planned.taxes
        ),
        total_minor=planned.total_minor,
        credits=(),
        credits_minor=0,
        due_minor=planned.total_minor,
        payments=(),
        paid_minor=0,
        settlement=planned.settlement,
        chart=None,
    )


def _line(line: PlannedLine, position: int) -> Line:
    row = line.row
    group: LineGroup = msgspec.convert(str(row.group), LineGroup)
    return Line(
        position=position,
        group=group,
        description=row.description,
        detail=line.detail,
        charge_code=row.charge_code,
        meter_code=row.meter_code,
        unit=row.unit if line.in_units else "",
        first_day=row.first_day,
        last_day=row.last_day,
        quantity=line.quantity,
        unit_amount=line.unit_amount,
        exact_amount=line.exact_amount,
        amount_minor=line.taken.amount_minor,
        discount_minor=line.taken.discount_minor,
        tax_rate=row.tax_rate_pct,
        tax_category=row.tax_category,
        unit_code=row.unit_code if line.in_units else _ONE,
    )
