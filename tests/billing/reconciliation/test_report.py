"""Each invariant is broken on purpose, behind the back of every trigger, and must be found and named."""

# ruff: noqa: S608 (the statements are made of constants)

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from billing.delivery.deliver import deliver
from billing.invoicing.paying.payments import record_payment
from billing.models import Invoice
from billing.reconciliation.report import reconcile
from billing.subscriptions.changing import end_subscription
from tests.billing.builders import (
    ACTOR,
    CALLS,
    at,
    bill,
    invoices,
    make_catalog,
    make_customer,
    row_counts,
    send_usage,
    sql,
    subscribe,
    triggers_off,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def good_books(documents: Path, renderings: list[str]) -> Path:
    """Two customers with two invoices each, all delivered, one paid; return the folder of the documents."""
    make_catalog()
    for name in ("anna", "bert"):
        customer = make_customer(name, tax_rate_pct="20")
        subscribe(customer)
        for month in ("01", "02"):
            send_usage(customer, "call", 150, f"2026-{month}-10", {"region": "eu"}, event_id=f"{name}-{month}")
    send_usage("stranger", "call", 5, "2026-01-10", event_id="waiting")
    bill("2026-03-01")
    for invoice in invoices():
        deliver(invoice, now=at("2026-03-01"))
    first = invoices()[0]
    record_payment(
        invoice_id=first.pk,
        amount_minor=first.due_minor,
        received_on=at("2026-03-02").date(),
        reference="R-1",
        actor=ACTOR,
        now=at("2026-03-02"),
    )
    sql("DELETE FROM procrastinate_jobs")  # done
    return documents


def test_good_books_have_no_differences_and_reconciling_writes_nothing(good_books: Path) -> None:
    before = row_counts()
    found = reconcile()
    assert (found.differences, found.pending) == ((), ())
    assert row_counts() == before


ANNA = "(SELECT id FROM customers_customer WHERE external_id = 'anna')"
FIRST = "(SELECT id FROM billing_invoice WHERE number = 'INV-000001')"
FIRST_CALLS = f"invoice_id = {FIRST} AND charge_code = 'calls'"


# What is done to the books, and what must be said of it.
DAMAGES = [
    (
        f"DELETE FROM usage_eventkey WHERE customer_id = {ANNA} AND day = '2026-01-10'",
        "I1 event tests anna-01 has no identity",
    ),
    (
        "INSERT INTO usage_event SELECT * FROM usage_event WHERE event_id = 'anna-01'",
        "I1 event tests anna-01 is stored 2 times",
    ),
    (
        "DELETE FROM usage_event WHERE event_id = 'anna-01'",
        "I1 event of anna on 2026-01-10 and others: 0 are stored, with 1 identities",
    ),
    (
        f"UPDATE usage_eventkey SET day = '2026-01-09' WHERE customer_id = {ANNA} AND day = '2026-01-10'",
        "I1 event tests anna-01 is not where its identity says",
    ),
    ("DELETE FROM usage_quarantinedevent", "was taken in and is gone"),
    (
        "DELETE FROM usage_eventkey WHERE key = (SELECT key FROM usage_quarantinedevent)",
        "I1 event tests waiting waits in quarantine without an identity",
    ),
    (
        f"UPDATE usage_rollup SET value_sum = 151 WHERE customer_id = {ANNA} AND day = '2026-01-10'",
        'I2 rollup anna calls 2026-01-10 {"region": "eu"}: kept events 1, sum 151; counted again events 1, sum 150',
    ),
    (
        f"DELETE FROM usage_rollup WHERE customer_id = {ANNA} AND day = '2026-01-10'",
        'I2 rollup anna calls 2026-01-10 {"region": "eu"}: kept nothing; counted again events 1, sum 150',
    ),
    (
        f"UPDATE usage_rollup SET day = '2026-01-11' WHERE customer_id = {ANNA} AND day = '2026-01-10'",
        'I2 rollup anna calls 2026-01-11 {"region": "eu"}: kept events 1, sum 150; counted again nothing',
    ),
    (
        """UPDATE usage_event SET data = '{"n": 160, "region": "eu"}' WHERE event_id = 'anna-01'""",
        'I2 rollup anna calls 2026-01-10 {"region": "eu"}: kept events 1, sum 150; counted again events 1, sum 160',
    ),
    (
        f"UPDATE billing_invoiceline SET exact_amount = 0.6, amount_minor = 60 WHERE {FIRST_CALLS}",
        "I3 invoice INV-000001 line 2: 150.000000000000 of calls cost 1/2, the line says 0.600000000000000000000000",
    ),
    (
        f"UPDATE billing_invoiceline SET quantity = 149, exact_amount = 0.49, amount_minor = 49 WHERE {FIRST_CALLS}",
        "I3 anna:basic:2026-01-01 2026-01-01 calls: 0.01 not billed yet",
    ),
    (
        f"UPDATE billing_billingperiod SET arrears_invoice_id = NULL WHERE arrears_invoice_id = {FIRST}",
        "I4 period anna:basic:2026-01-01 2026-01-01 is on 1 invoices that it does not name",
    ),
    (
        f"""UPDATE billing_billingperiod SET arrears_invoice_id = {FIRST}
            WHERE arrears_invoice_id = (SELECT id FROM billing_invoice WHERE number = 'INV-000002')""",
        "I4 period bert:basic:2026-01-01 2026-01-01 is on 1 invoices that it does not name",
    ),
    (
        f"""UPDATE billing_invoice SET snapshot = jsonb_set(snapshot, '{{total_minor}}', '1') WHERE id = {FIRST}""",
        "I5 invoice INV-000001 prints ",
    ),
    (
        f"""UPDATE billing_invoice SET snapshot = jsonb_set(snapshot, '{{lines,0,amount_minor}}', '1') WHERE id = {FIRST}""",
        "I5 invoice INV-000001 prints other lines than its rows",
    ),
    (
        f"UPDATE billing_invoice SET snapshot = '{{}}' WHERE id = {FIRST}",
        "I5 invoice INV-000001 has a snapshot that cannot be read: ",
    ),
    (
        """UPDATE billing_charge SET terms = '{"model": "nonsense"}' WHERE code = 'fee'""",
        "I3 anna:basic:2026-01-01 cannot be rated: ChargeError: ",
    ),
    (
        """UPDATE billing_charge SET terms = '{"model": "graduated", "tiers": [{}]}' WHERE code = 'calls'""",
        "I3 invoice INV-000001 line 2: 150.000000000000 of calls cost 0, ",
    ),
    (
        """UPDATE billing_charge SET terms = '{}' WHERE code = 'calls'""",
        "I8 invoice INV-000001 line 2: the terms of calls cannot be read: KeyError",
    ),
    (f"UPDATE billing_invoice SET number = 'INV-9' WHERE id = {FIRST}", "I5 invoice INV-9 prints "),
    ("UPDATE billing_numbercounter SET last_number = 5", "I6 series INV-{number:06} misses 5"),
    ("UPDATE billing_numbercounter SET last_number = 3", "I6 series INV-{number:06} has given 4, its counter says 3"),
    (f"UPDATE billing_invoice SET sequence = 9 WHERE id = {FIRST}", "I6 series INV-{number:06} misses 1"),
    (
        f"UPDATE billing_invoiceline SET amount_minor = 51 WHERE {FIRST_CALLS}",
        "I7 invoice INV-000001 line 2: 0.500000000000000000000000 is not 51 when rounded",
    ),
    (
        f"""UPDATE billing_invoice SET subtotal_minor = 1051, total_minor = 1261, due_minor = 1261 WHERE id = {FIRST}""",
        "I7 invoice INV-000001 has lines of 1050, the subtotal says 1051",
    ),
    (
        f"DELETE FROM billing_invoiceline WHERE {FIRST_CALLS}",
        "I7 invoice INV-000001 has lines of 1000, the subtotal says 1050",
    ),
    (
        f"UPDATE billing_invoicetax SET amount_minor = 209 WHERE invoice_id = {FIRST}",
        "I7 invoice INV-000001 has taxes that do not add up to 210",
    ),
    (
        f"DELETE FROM billing_invoicetax WHERE invoice_id = {FIRST}",
        "I7 invoice INV-000001 has a line whose tax rate is not in its taxes",
    ),
    ("DELETE FROM billing_paymentallocation", "I7 invoice INV-000001 has payments of 0, it says 1260"),
    (
        f"UPDATE billing_invoice SET paid_minor = 0 WHERE id = {FIRST}",
        "I7 invoice INV-000001 is paid, though 1260 is missing",
    ),
    (
        "UPDATE billing_planversion SET status = 'draft', published_at = NULL",
        "I8 period anna:basic:2026-01-01 2026-01-01 is priced by a version that is not published",
    ),
    (
        """UPDATE billing_charge SET terms = '{"model": "flat", "amount": "11"}' WHERE code = 'fee'""",
        "I3 anna:basic:2026-01-01 2026-01-01 fee: 1 not billed yet",
    ),
    (
        "DELETE FROM customers_auditevent WHERE action = 'invoice.finalized' AND object_id = 'INV-000003'",
        "I9 invoice INV-000003 has no audit event invoice.finalized",
    ),
    (
        "UPDATE billing_invoice SET status = 'void', voided_at = now() WHERE number = 'INV-000002'",
        "I9 invoice INV-000002 has no audit event invoice.voided",
    ),
    ("UPDATE billing_document SET sha256 = repeat('0', 64)", "I10 invoice INV-000001: "),
    (
        f"DELETE FROM billing_document WHERE invoice_id = {FIRST}",
        "I10 invoice INV-000001 has no PDF, and no job that would make it",
    ),
    (
        "UPDATE billing_delivery SET status = 'failed', last_error = 'no such mailbox'",
        "I10 invoice INV-000001 was not sent to one recipient: no such mailbox",
    ),
]


def test_each_damage_is_found_and_named(good_books: Path, subtests: pytest.Subtests) -> None:
    for damage, expected in DAMAGES:
        with subtests.test(damage=damage), transaction.atomic():
            with triggers_off():
                sql(damage)
            found = reconcile()
            transaction.set_rollback(True)
            assert [told for told in found.differences + found.pending if expected in told], found
    assert reconcile().differences == ()  # each was taken back


def test_a_damaged_pdf_is_found_and_named(good_books: Path) -> None:
    (file,) = (good_books / "invoices" / "2026").glob("INV-000003-*")
    file.chmod(0o600)
    file.write_bytes(b"something else")
    assert [difference.partition(":")[0] for difference in reconcile().differences] == ["I10 invoice INV-000003"]


def test_late_usage_is_pending_while_an_invoice_is_to_come_and_a_difference_afterwards(good_books: Path) -> None:
    send_usage("anna", "call", 100, "2026-01-20")
    found = reconcile()
    assert found.differences == ()
    assert found.pending == ("I3 anna:basic:2026-01-01 2026-01-01 calls: 1 not billed yet",)
    anna = Invoice.objects.filter(customer__external_id="anna").order_by("pk")[0].subscription
    assert anna is not None
    end_subscription(subscription_id=anna.pk, ends_at=at("2026-03-01"), actor=ACTOR, now=at("2026-03-01"))
    assert reconcile().differences == ("I3 anna:basic:2026-01-01 2026-01-01 calls: 1 not billed yet",)


def test_the_command_exits_with_success_on_good_books(good_books: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("reconcile")
    assert capsys.readouterr().out == "The books agree with the events.\n"
    call_command("reconcile", "--json")
    parts = ("differences", "pending", "unpriced", "unchecked", "unfinished")
    assert json.loads(capsys.readouterr().out) == {part: [] for part in parts}


def test_the_command_fails_where_the_database_ends_a_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_slowly() -> list[str]:
        with transaction.atomic():
            sql("SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)")
        return []

    monkeypatch.setattr("billing.reconciliation.report._CHECKS", (check_slowly,))
    with pytest.raises(CommandError, match=r"nothing is known of: check_slowly$"):
        call_command("reconcile")


def test_the_command_names_the_rows_and_fails(good_books: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with triggers_off():
        sql("UPDATE billing_numbercounter SET last_number = 5")
    with pytest.raises(CommandError, match=r"1 difference$"):
        call_command("reconcile")
    assert capsys.readouterr().out == "I6 series INV-{number:06} misses 5\n"
    with pytest.raises(CommandError):
        call_command("reconcile", "--json")
    assert json.loads(capsys.readouterr().out)["differences"] == ["I6 series INV-{number:06} misses 5"]


def test_usage_without_a_price_is_named_and_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    make_catalog(CALLS.replace("meter: calls\n", "meter: calls\n        filter: {region: eu}\n"))
    customer = make_customer()
    subscribe(customer)
    send_usage(customer, "call", 7, "2026-01-10", {"region": "us"})
    send_usage(customer, "call", 8, "2026-01-11", {"region": "eu"})
    bill("2026-02-01")
    found = reconcile()
    assert found.unpriced == ("acme:basic:2026-01-01 2026-01-01 calls region=us: 1 events have no price",)
    assert not [difference for difference in found.differences if "region" in difference]
    call_command("reconcile")
    assert "unpriced: acme:basic:2026-01-01 2026-01-01 calls region=us: 1 events have no price" in capsys.readouterr().out
