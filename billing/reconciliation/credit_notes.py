"""I5, I7 and I9 of credit notes: each recomputed from its lines, and all of an invoice together against what it said."""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

import msgspec
from django.db.models import Exists, OuterRef, Prefetch, Q

from billing.invoicing.snapshot import from_json
from billing.models import Credit, CreditEntry, CreditNote, CreditNoteLine, Invoice
from billing.reconciliation.reference import half_up
from customers.models import AuditEvent

_FETCHED_AT_ONCE = 500


def check_credit_notes() -> Iterator[str]:
    """Check every invoice that was credited or says so, a few at a time; then what was kept, and the audit trail."""
    lines = Prefetch("lines", CreditNoteLine.objects.select_related("invoice_line").order_by("position"))
    notes = CreditNote.objects.prefetch_related("taxes", lines).order_by("pk")
    credited = Invoice.objects.filter(Q(credit_notes__isnull=False) | ~Q(credited_minor=0)).distinct()
    with_notes = credited.prefetch_related(Prefetch("credit_notes", notes), "taxes", "lines").order_by("pk")
    for invoice in with_notes.iterator(_FETCHED_AT_ONCE):
        of_invoice = list(invoice.credit_notes.all())
        yield from _check_invoice(invoice, of_invoice)
        bases: Counter[tuple[str, str]] = Counter()
        for note in of_invoice:
            yield from (f"I7 credit note {note.number} {what}" for what in _check_totals(note, bases))
            yield from (f"I5 credit note {note.number} {what}" for what in _check_snapshot(note))
    yield from _check_kept()
    yield from _check_audit()


def _check_invoice(invoice: Invoice, notes: Sequence[CreditNote]) -> Iterator[str]:
    name = f"I7 invoice {invoice.number or invoice.public_id}"
    if notes and invoice.status in (Invoice.Status.DRAFT, Invoice.Status.VOID):
        yield f"{name} is {invoice.status}, and has credit notes"
    taken_off = sum(note.to_invoice_minor for note in notes)
    if taken_off != invoice.credited_minor:
        yield f"{name} says that credit notes took {invoice.credited_minor} off, they say {taken_off}"
    total = sum(note.total_minor for note in notes)
    if total > invoice.total_minor:
        yield f"{name} is of {invoice.total_minor}, its credit notes of {total}"
    amounts: Counter[int] = Counter()
    discounts: Counter[int] = Counter()
    for note in notes:
        for line in note.lines.all():
            amounts[line.invoice_line_id] += line.amount_minor
            discounts[line.invoice_line_id] += line.discount_minor
    for row in invoice.lines.all():
        back = amounts.pop(row.pk, 0), discounts.pop(row.pk, 0)
        if back[0] > max(row.amount_minor, 0) or back[1] > max(row.discount_minor, 0):
            yield f"{name} line {row.position} is of {row.amount_minor} less {row.discount_minor}, credited are {back}"
    if amounts:
        yield f"{name} has credit notes with lines of another invoice"
    yield from _check_taxes(invoice, notes, name)


def _check_taxes(invoice: Invoice, notes: Sequence[CreditNote], name: str) -> Iterator[str]:
    """All that went back of a tax is at most what the invoice has of it: exactly that once its whole base is back."""
    bases: Counter[tuple[str, str]] = Counter()
    taxes: Counter[tuple[str, str]] = Counter()
    for note in notes:
        for tax in note.taxes.all():
            bases[_key(tax.rate_pct, tax.category)] += tax.base_minor
            taxes[_key(tax.rate_pct, tax.category)] += tax.amount_minor
    for row in invoice.taxes.all():
        key = _key(row.rate_pct, row.category)
        base, amount = bases.pop(key, 0), taxes[key]
        if base > max(row.base_minor, 0) or (base == row.base_minor and amount != row.amount_minor):
            yield f"{name} has tax of {row.amount_minor} on {row.base_minor} at {key[0]} %, credited are {amount} on {base}"
    if bases:
        yield f"{name} has credit notes with taxes that it has not"


def _check_totals(note: CreditNote, bases: Counter[tuple[str, str]]) -> Iterator[str]:
    """Compare a credit note with its lines; `bases` is what those before it took back, and grows."""
    lines = list(note.lines.all())
    if sum(line.amount_minor for line in lines) != note.subtotal_minor:
        yield f"has lines that do not add up to {note.subtotal_minor}"
    if sum(line.discount_minor for line in lines) != note.discount_minor:
        yield f"has lines with discounts that do not add up to {note.discount_minor}"
    if note.subtotal_minor - note.discount_minor + note.tax_minor != note.total_minor:
        yield f"does not add up to {note.total_minor}"
    if note.to_invoice_minor + note.to_balance_minor + note.to_refund_minor != note.total_minor:
        yield f"is settled with other amounts than its total of {note.total_minor}"
    nets: Counter[tuple[str, str]] = Counter()
    for line in lines:
        nets[_key(line.invoice_line.tax_rate_pct, line.invoice_line.tax_category)] += line.net_minor
    taxes = list(note.taxes.all())
    for tax in taxes:
        key = _key(tax.rate_pct, tax.category)
        base, rate = nets.pop(key, 0), Fraction(tax.rate_pct) / 100
        expected = half_up((bases[key] + base) * rate) - half_up(bases[key] * rate)
        if (base, expected) != (tax.base_minor, tax.amount_minor):
            yield f"has tax of {tax.amount_minor} on {tax.base_minor} at {key[0]} %, its lines give {expected} on {base}"
        bases[key] += base
    if any(net and Fraction(rate) for (rate, _category), net in nets.items()):
        yield "has lines with a tax that is not in its taxes"
    if sum(tax.amount_minor for tax in taxes) != note.tax_minor:
        yield f"has taxes that do not add up to {note.tax_minor}"
    if note.refunded_at is not None and not note.to_refund_minor:
        yield "was paid back, though nothing of it was to be"


def _check_snapshot(note: CreditNote) -> Iterator[str]:
    try:
        said = from_json(note.snapshot)
    except msgspec.ValidationError as error:
        yield f"has a snapshot that cannot be read: {error}"
        return
    facts = said.kind, said.number, said.currency, said.issued_on, said.subtotal_minor, said.discount_minor, said.total_minor
    rows = (
        "credit_note",
        note.number,
        note.currency,
        note.issued_on,
        note.subtotal_minor,
        note.discount_minor,
        note.total_minor,
    )
    if facts != rows:
        yield f"prints {facts}, its row says {rows}"
    printed = [
        (line.description, line.quantity, line.exact_amount, line.amount_minor, line.discount_minor) for line in said.lines
    ]
    if printed != [
        (line.description, line.quantity, line.exact_amount, line.amount_minor, line.discount_minor) for line in note.lines.all()
    ]:
        yield "prints other lines than its rows"
    taxes = sorted((tax.rate, tax.category, tax.base_minor, tax.amount_minor) for tax in said.taxes)
    if taxes != sorted((tax.rate_pct, tax.category, tax.base_minor, tax.amount_minor) for tax in note.taxes.all()):
        yield "prints other taxes than its rows"
    settlement = said.settlement and (
        said.settlement.to_invoice_minor,
        said.settlement.to_balance_minor,
        said.settlement.to_refund_minor,
    )
    if settlement != (note.to_invoice_minor, note.to_balance_minor, note.to_refund_minor):
        yield "prints another settlement than its row"


def _check_kept() -> Iterator[str]:
    """I7: what a credit note keeps for the next invoices is a credit of that amount, granted once. Two queries."""
    granted = CreditEntry.objects.filter(
        credit__credit_note=OuterRef("pk"), kind=CreditEntry.Kind.GRANTED, amount_minor=OuterRef("to_balance_minor")
    )
    kept = CreditNote.objects.filter(to_balance_minor__gt=0).filter(~Exists(granted))
    for number, amount in kept.order_by("pk").values_list("number", "to_balance_minor"):
        yield f"I7 credit note {number} keeps {amount} for the next invoices, and no credit of that was granted"
    credits_of = Credit.objects.filter(credit_note__isnull=False).select_related("credit_note")
    for credit in credits_of.order_by("pk").iterator():
        note = credit.credit_note
        if note is None:
            continue
        facts = credit.amount_minor, credit.currency, credit.customer_id
        if facts != (note.to_balance_minor, note.currency, note.customer_id):
            yield f"I7 credit note {note.number} keeps {note.to_balance_minor} {note.currency}, its credit is of another amount"


def _check_audit() -> Iterator[str]:
    """I9: every credit note, and every one that was paid back, has its audit event. Two queries."""
    every = CreditNote.objects.all()
    for action, notes in (("credit_note.issued", every), ("credit_note.refunded", every.filter(refunded_at__isnull=False))):
        event = AuditEvent.objects.filter(action=action, object_type="credit_note", object_id=OuterRef("number"))
        for number in notes.filter(~Exists(event)).order_by("pk").values_list("number", flat=True):
            yield f"I9 credit note {number} has no audit event {action}"


def _key(rate: object, category: str) -> tuple[str, str]:
    return str(Fraction(str(rate))), category
