"""From draft to document: totals, number, snapshot, and a freeze that raw SQL cannot get around (I5, I6)."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.invoicing.drafting import draft_boundary
from billing.invoicing.finalizing import UnableToFinalize, finalize_invoice
from billing.invoicing.snapshot import from_json
from billing.models import BillingEntity, BillingPeriod, Delivery, Invoice, InvoiceTax, NumberCounter
from billing.rating.terms import TermsBook
from customers.models import AuditEvent
from customers.services import update_customer
from tests.billing.builders import (
    ACTOR,
    CALLS,
    assault,
    at,
    bill,
    invoices,
    lines,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    sql,
    subscribe,
)
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db


def finalize(invoice: Invoice, as_of: str = "2026-02-01") -> Invoice:
    return finalize_invoice(invoice_id=invoice.pk, as_of=at(as_of), actor=ACTOR, now=at(as_of))


def drafts(count: int = 1) -> list[Invoice]:
    make_catalog()
    for number in range(count):
        subscribe(make_customer(f"customer-{number:02d}"))
    bill("2026-02-01", finalize=False)
    return invoices(status="draft")


def test_totals_with_tax_are_added_up_by_the_rounded_lines() -> None:
    make_catalog(CALLS.replace('amount: "10"', 'amount: "10.005"'))
    customer = make_customer(tax_rate_pct="19.6")
    subscribe(customer)
    send_usage(customer, "call", 133, "2026-01-10")
    bill("2026-02-01")
    (invoice,) = invoices()
    # 10.005 → 10.01; 33 x 0.01 = 0.33; 10.34 x 19.6 % = 2.02664 → 2.03
    assert [line[3] for line in lines(invoice)] == [1001, 33]
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor, invoice.due_minor) == (1034, 203, 1237, 1237)
    assert [(tax.rate_pct, tax.base_minor, tax.amount_minor) for tax in InvoiceTax.objects.all()] == [
        (Decimal("19.6"), 1034, 203)
    ]


@pytest.mark.parametrize(
    ("currency", "fee", "subtotal", "tax", "total"),
    [
        ("JPY", "1000.5", 1001, 100, 1101),  # no decimals: 1000.5 → 1001; 10 % = 100.1 → 100
        ("KWD", "1.0005", 1001, 100, 1101),  # three decimals: 1.0005 → 1.001; 10 % = 0.1001 → 0.100
        ("USD", "1.005", 101, 10, 111),  # 1.005 → 1.01; 0.101 → 0.10
    ],
)
def test_amounts_round_to_the_smallest_unit_of_their_currency(
    currency: str, fee: str, subtotal: int, tax: int, total: int
) -> None:
    make_catalog(f"plans: [{{code: basic, currency: {currency}, charges: [{{code: fee, model: flat, amount: '{fee}'}}]}}]")
    subscribe(make_customer(currency=currency, tax_rate_pct="10"))
    bill("2026-02-01")
    (invoice,) = invoices()
    assert (invoice.subtotal_minor, invoice.tax_minor, invoice.total_minor) == (subtotal, tax, total)


def test_a_draft_gets_number_snapshot_delivery_job_and_audit_in_one_go() -> None:
    (draft,) = drafts()
    assert (draft.number, draft.snapshot, draft.finalized_at) == (None, {}, None)
    invoice = finalize(draft)
    invoice.refresh_from_db()
    assert (invoice.number, invoice.sequence, invoice.status) == ("INV-000001", 1, "finalized")
    assert invoice.finalized_at == at("2026-02-01")
    assert (invoice.issued_on.isoformat(), invoice.due_on - invoice.issued_on) == ("2026-02-01", timedelta(days=30))
    assert [(delivery.recipient, delivery.status) for delivery in Delivery.objects.all()] == [
        ("billing@customer-00.example", "queued")
    ]
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args, job.lock) == ("billing.deliver", {"invoice_id": invoice.pk}, f"invoice-{invoice.pk}")
    event = AuditEvent.objects.get(action="invoice.finalized")
    assert (event.object_id, event.before, event.after["due_minor"]) == ("INV-000001", {"status": "draft"}, 1000)


def test_finalising_twice_does_it_once() -> None:
    (draft,) = drafts()
    finalize(draft)
    before = row_counts()
    assert finalize(draft, "2026-03-05").number == "INV-000001"
    assert row_counts() == before


def test_a_customer_without_address_gets_a_document_and_no_mail() -> None:
    make_catalog()
    subscribe(make_customer(email=""))
    bill("2026-02-01")
    assert Delivery.objects.count() == 0
    assert ProcrastinateJob.objects.count() == 1


def test_usage_that_came_after_the_draft_is_on_the_invoice() -> None:
    (draft,) = drafts()
    send_usage("customer-00", "call", 350, "2026-01-31T23:00:00Z")
    invoice = finalize(draft, "2026-02-03")
    assert lines(invoice)[1] == ("calls", Decimal(350), Decimal("2.5"), 250)
    assert (invoice.pk, invoice.total_minor, invoice.issued_on.isoformat()) == (draft.pk, 1250, "2026-02-03")


def test_a_draft_that_has_nothing_left_to_say_goes_away_with_the_next_run() -> None:
    make_catalog(
        """
meters: [{code: calls, name: Calls, event_type: call, aggregation: sum, value: n}]
plans: [{code: basic, currency: EUR, charges: [{code: calls, meter: calls, model: per_unit, unit_amount: "1"}]}]
"""
    )
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "call", 5, "2026-01-10")
    bill("2026-02-01", finalize=False)
    (draft,) = invoices()
    sql("DELETE FROM usage_rollup")
    with pytest.raises(UnableToFinalize) as caught:
        finalize(draft)
    assert caught.value.code == "nothing_to_bill"
    report = bill("2026-02-02")
    assert (report.failed, report.run.finalized_count) == ((), 0)
    assert invoices() == []
    assert BillingPeriod.objects.get(index=0).arrears_billed_at == at("2026-02-01")


def test_the_snapshot_keeps_every_printed_fact_whatever_changes_later() -> None:
    make_catalog()
    BillingEntity.objects.create(
        code="seller", name="Seller", legal_name="Seller GmbH", is_default=True, iban="DE02", city="Berlin", postal_code="10115"
    )
    customer = make_customer(name="Acme", legal_name="Acme Ltd", address_line1="1 Road", city="Cork", country="IE", tax_id="IE1")
    subscribe(customer)
    send_usage(customer, "call", 150, "2026-01-10")
    bill("2026-02-01")
    kept = Invoice.objects.get().snapshot
    update_customer(
        customer_id=customer.pk,
        changes={"legal_name": "Changed", "address_line1": "2 Street", "tax_rate_pct": "5", "locale": "de"},
        actor=ACTOR,
        now=at("2026-02-02"),
    )
    BillingEntity.objects.update(legal_name="Changed AG", iban="XX")
    make_catalog(CALLS.replace("Platform fee", "Other fee"), new_versions=True)
    invoice = Invoice.objects.get()
    assert invoice.snapshot == kept
    said = from_json(invoice.snapshot)
    assert (said.seller.legal_name, said.seller.address, said.bank.iban) == ("Seller GmbH", ("10115 Berlin",), "DE02")
    assert (said.buyer.legal_name, said.buyer.address, said.buyer.tax_id) == ("Acme Ltd", ("1 Road", "Cork"), "IE1")
    assert [(line.description, line.amount_minor) for line in said.lines] == [("Platform fee", 1000), ("Calls", 50)]
    assert (said.number, said.total_minor, said.locale) == ("INV-000001", 1050, "en")


def test_a_void_invoice_is_not_finalised_again() -> None:
    (draft,) = drafts()
    finalize(draft)
    assault("UPDATE billing_invoice SET status = 'void', voided_at = now()")
    with pytest.raises(UnableToFinalize) as caught:
        finalize(draft)
    assert caught.value.code == "void"


ATTACKS = [
    *(
        f"UPDATE billing_invoice SET {change}"  # noqa: S608 (constants)
        for change in (
            "number = 'INV-9'",
            "due_minor = 0, total_minor = 0, subtotal_minor = 0",
            "snapshot = '{}'",
            "issued_on = '2020-01-01'",
            "customer_id = customer_id + 1",
            "status = 'draft', number = NULL, sequence = NULL, counter_id = NULL, finalized_at = NULL",
            "finalized_at = now()",
            "public_id = gen_random_uuid()",
        )
    ),
    "DELETE FROM billing_invoice",
    "TRUNCATE billing_invoice CASCADE",
    "UPDATE billing_invoiceline SET amount_minor = 1",
    "UPDATE billing_invoiceline SET description = 'x'",
    "DELETE FROM billing_invoiceline",
    "TRUNCATE billing_invoiceline CASCADE",
    """INSERT INTO billing_invoiceline (invoice_id, position, "group", billing_period_id, charge_code, description, detail,
       meter_code, unit, first_day, last_day, quantity, exact_amount, amount_minor, tax_rate_pct, breakdown, discount_minor,
       tax_category, tax_class, unit_code)
       SELECT invoice_id, 99, "group", billing_period_id, 'x', 'x', '', '', '', first_day, last_day, 1, 1, 100, 0, '[]', 0,
       'S', 'standard', 'C62'
       FROM billing_invoiceline LIMIT 1""",
    "UPDATE billing_invoicetax SET amount_minor = 0",
    "DELETE FROM billing_invoicetax",
    "TRUNCATE billing_invoicetax",
    """INSERT INTO billing_invoicetax (invoice_id, rate_pct, base_minor, amount_minor, category, label, exemption_code, note)
       SELECT id, 3, 1, 1, 'S', '', '', '' FROM billing_invoice""",
    "UPDATE billing_document SET sha256 = 'x'",
    "DELETE FROM billing_document",
    "TRUNCATE billing_document",
    "UPDATE billing_payment SET amount_minor = 1",
    "DELETE FROM billing_payment",
    "TRUNCATE billing_payment CASCADE",
    "UPDATE customers_auditevent SET actor_label = 'nobody'",
    "DELETE FROM customers_auditevent",
    "TRUNCATE customers_auditevent",
]
FROZEN = ("invoice", "invoiceline", "invoicetax", "document", "payment")


def contents() -> list[object]:
    with connection.cursor() as cursor:
        found: list[object] = []
        for table in (*(f"billing_{name}" for name in FROZEN), "customers_auditevent"):
            cursor.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608 (constants)
            found.append(cursor.fetchall())
        return found


def test_a_final_invoice_and_its_parts_never_change_whoever_writes(subtests: pytest.Subtests) -> None:
    make_catalog()
    subscribe(make_customer(tax_rate_pct="20"))
    bill("2026-02-01")
    assault(
        """INSERT INTO billing_payment (public_id, customer_id, currency, allocated_minor, reversal_reason, invoice_id,
             amount_minor, received_on, method, reference, recorded_at, recorded_by)
           SELECT gen_random_uuid(), customer_id, currency, 0, '', id, 5, '2026-02-02', 'cash', 'R', now(), 'x'
           FROM billing_invoice"""
    )
    assault(
        """INSERT INTO billing_document (invoice_id, storage_key, sha256, size_bytes, renderer, rendered_at)
           SELECT id, 'k', repeat('0', 64), 1, 'r', now() FROM billing_invoice"""
    )
    before = contents()
    for attack in ATTACKS:
        with subtests.test(attack=attack):
            with pytest.raises(DatabaseError, match=r"is final|of a final invoice|append-only|is kept as it is"):
                assault(attack)
            assert contents() == before


def test_a_void_invoice_does_not_come_back_to_life() -> None:
    (draft,) = drafts()
    finalize(draft)
    assault("UPDATE billing_invoice SET status = 'void', voided_at = now()")
    with pytest.raises(DatabaseError, match="is final"):
        assault("UPDATE billing_invoice SET status = 'finalized', voided_at = NULL")


def test_the_database_refuses_invoices_that_do_not_add_up() -> None:
    drafts()
    for change, constraint in (
        ("total_minor = total_minor + 1, due_minor = due_minor + 1", "invoice_total_adds_up"),
        ("due_minor = due_minor + 1", "invoice_due_adds_up"),
        ("number = 'INV-7'", "invoice_numbered_when_final"),
        ("status = 'paid'", "invoice_numbered_when_final"),
        ("voided_at = now()", "invoice_voided_at_with_status"),
        ("paid_minor = -1", "invoice_amounts_not_negative"),
    ):
        with pytest.raises(DatabaseError, match=constraint):
            assault(f"UPDATE billing_invoice SET {change}")  # noqa: S608 (constants)
    with pytest.raises(DatabaseError, match="invoice_line_finite"):
        assault("UPDATE billing_invoiceline SET quantity = 'NaN'")


def test_a_finalisation_that_fails_gives_its_number_back() -> None:
    first, second = drafts(2)
    with transaction.atomic():
        assert finalize(first).number == "INV-000001"
        transaction.set_rollback(True)
    first.refresh_from_db()
    assert (first.number, Delivery.objects.count(), ProcrastinateJob.objects.count()) == (None, 0, 0)
    assert finalize(second).number == "INV-000001"
    assert finalize(first).number == "INV-000002"


class Aborted(Exception):
    """A made-up failure after the number was given."""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [2, 8])
def test_numbers_have_no_gap_and_no_double_when_several_finalise_and_some_fail(workers: int) -> None:
    ids = [draft.pk for draft in drafts(24)]
    turn = threading.Lock()
    attempts: list[int] = []

    def work() -> None:
        while True:
            with turn:
                if not ids:
                    return
                invoice_id = ids.pop(0)
                attempts.append(invoice_id)
                abort = len(attempts) % 5 == 0  # a fifth of all attempts dies with its number in hand
            try:
                with transaction.atomic():
                    finalize_invoice(invoice_id=invoice_id, as_of=at("2026-02-01"), actor=ACTOR, now=at("2026-02-01"))
                    if abort:
                        raise Aborted
            except Aborted:
                with turn:
                    ids.append(invoice_id)

    in_threads(*[work] * workers)
    numbered = Invoice.objects.order_by("sequence").values_list("sequence", "number", "status")
    assert list(numbered) == [(n, f"INV-{n:06d}", "finalized") for n in range(1, 25)]
    assert NumberCounter.objects.get().last_number == 24
    assert len(attempts) > 24
    assert Delivery.objects.count() == ProcrastinateJob.objects.count() == 24


@pytest.mark.django_db(transaction=True)
def test_the_same_draft_finalised_by_two_at_once_gets_one_number() -> None:
    (draft,) = drafts()
    numbers = in_threads(*[lambda: finalize(draft).number] * 4)
    assert numbers == ["INV-000001"] * 4
    assert (NumberCounter.objects.get().last_number, AuditEvent.objects.filter(action="invoice.finalized").count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_boundary_drafted_by_several_at_once_gives_one_draft() -> None:
    make_catalog()
    subscription = subscribe(make_customer(), now=at("2026-02-02"))

    def draft() -> Invoice | None:
        return draft_boundary(
            subscription_id=subscription.pk, boundary_at=at("2026-02-01"), as_of=at("2026-02-01"), terms_book=TermsBook()
        )

    made = in_threads(*[draft] * 4)
    assert sorted(invoice is not None for invoice in made) == [False, False, False, True]
    assert Invoice.objects.count() == 1
