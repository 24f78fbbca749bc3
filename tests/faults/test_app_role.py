"""The role that the application signs in with: Squill works with it, and no statement of it changes what is final (I5)."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from os import getpid
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.paying.payments import record_payment
from billing.invoicing.voiding import void_invoice
from billing.models import (
    BrandAsset,
    Coupon,
    CouponRedemption,
    Credit,
    CreditEntry,
    CreditNote,
    CreditNoteLine,
    CreditNoteTax,
    Document,
    Invoice,
    MailReport,
    NumberCounter,
    NumberSeries,
)
from billing.reconciliation.report import reconcile
from tests.billing.builders import ACTOR, NOW, at, bill, make_catalog, make_customer, send_usage, sql, subscribe
from usage.ingestion.partitions import existing_months

pytestmark = pytest.mark.django_db(transaction=True)
ROLE = f"squill_app_{getpid()}"
PASSWORD = "not a secret"

# None of these may work, whoever has the role's password. Where no row is named, any of the table.
ATTACKS = [
    "UPDATE billing_invoice SET total_minor = total_minor + 1, due_minor = due_minor + 1 WHERE status <> 'draft'",
    "UPDATE billing_invoice SET number = 'INV-9' WHERE status <> 'draft'",
    "UPDATE billing_invoice SET snapshot = '{}' WHERE status <> 'draft'",
    "UPDATE billing_invoice SET status = 'draft' WHERE status <> 'draft'",
    "UPDATE billing_invoice SET paid_minor = due_minor + 1 WHERE status = 'finalized'",
    "DELETE FROM billing_invoice WHERE status <> 'draft'",
    # A whole invoice of the attacker's own, by the row of a real one
    """INSERT INTO billing_invoice SELECT (jsonb_populate_record(i, jsonb_build_object('id', 999999, 'public_id',
       gen_random_uuid(), 'number', 'INV-999999', 'sequence', 999999, 'boundary_at', '2020-01-01'))).*
       FROM billing_invoice i WHERE status = 'finalized'""",
    """UPDATE billing_invoice SET status = 'finalized', finalized_at = now(), number = 'INV-000007', sequence = 7,
       counter_id = (SELECT min(id) FROM billing_numbercounter) WHERE status = 'draft'""",
    "TRUNCATE billing_invoice CASCADE",
    "ALTER TABLE billing_invoice DISABLE TRIGGER frozen",
    "ALTER TABLE billing_invoice DISABLE TRIGGER ALL",
    "ALTER TABLE billing_invoice DROP CONSTRAINT invoice_total_adds_up",
    "ALTER TABLE billing_invoice ADD COLUMN secret text",
    "ALTER TABLE billing_invoice OWNER TO CURRENT_USER",
    "DROP TABLE billing_invoice CASCADE",
    "DROP TRIGGER frozen ON billing_invoice",
    "DROP FUNCTION squill_freeze_invoice() CASCADE",
    "CREATE OR REPLACE FUNCTION squill_freeze_invoice() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER mine BEFORE UPDATE ON billing_invoice FOR EACH ROW EXECUTE FUNCTION squill_freeze_invoice()",
    "CREATE RULE mine AS ON UPDATE TO billing_invoice DO INSTEAD NOTHING",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE billing_invoice (id int)",
    "SET session_replication_role = replica",
    "SET ROLE {owner}",
    "SET SESSION AUTHORIZATION {owner}",
    "GRANT {owner} TO CURRENT_USER",
    "COPY billing_invoiceline FROM PROGRAM 'cat /dev/null'",
    "COPY billing_invoice TO '/tmp/stolen'",
    "UPDATE billing_invoiceline SET amount_minor = 1",
    "DELETE FROM billing_invoiceline WHERE invoice_id IN (SELECT id FROM billing_invoice WHERE status <> 'draft')",
    "TRUNCATE billing_invoiceline CASCADE",
    """INSERT INTO billing_invoiceline (invoice_id, position, "group", billing_period_id, charge_code, description, detail,
       meter_code, unit, first_day, last_day, quantity, exact_amount, amount_minor, discount_minor, tax_rate_pct, tax_category,
       tax_class, unit_code, breakdown)
       SELECT invoice_id, 99, "group", billing_period_id, 'x', 'x', '', '', '', first_day, last_day, 1, 1, 100, 0, 0, 'O',
       'standard', 'C62', '[]' FROM billing_invoiceline l WHERE invoice_id IN
       (SELECT id FROM billing_invoice WHERE status <> 'draft') LIMIT 1""",
    "UPDATE billing_invoicetax SET amount_minor = 0 WHERE invoice_id IN (SELECT id FROM billing_invoice WHERE status <> 'draft')",
    "DELETE FROM billing_invoicetax WHERE invoice_id IN (SELECT id FROM billing_invoice WHERE status <> 'draft')",
    """INSERT INTO billing_invoicetax (invoice_id, rate_pct, category, label, exemption_code, note, base_minor, amount_minor)
       SELECT id, 3, 'S', '', '', '', 1, 1 FROM billing_invoice WHERE status <> 'draft'""",
    "UPDATE billing_invoicediscount SET amount_minor = 1",
    "DELETE FROM billing_invoicediscount",
    "TRUNCATE billing_invoicediscount",
    "UPDATE billing_creditnote SET total_minor = total_minor + 1, subtotal_minor = subtotal_minor + 1",
    "DELETE FROM billing_creditnote",
    "TRUNCATE billing_creditnote CASCADE",
    "UPDATE billing_creditnoteline SET amount_minor = 1",
    "DELETE FROM billing_creditnotetax",
    """INSERT INTO billing_creditnotetax
       (credit_note_id, rate_pct, category, label, exemption_code, note, base_minor, amount_minor)
       SELECT id, 3, 'S', '', '', '', 1, 1 FROM billing_creditnote""",
    "UPDATE billing_document SET sha256 = repeat('0', 64)",
    "DELETE FROM billing_document",
    "TRUNCATE billing_document",
    "UPDATE billing_payment SET amount_minor = 1",
    "DELETE FROM billing_payment",
    "TRUNCATE billing_payment CASCADE",
    "UPDATE billing_paymentallocation SET amount_minor = 1",
    "DELETE FROM billing_paymentallocation",
    "UPDATE billing_credit SET amount_minor = amount_minor + 1",
    "DELETE FROM billing_credit",
    "UPDATE billing_creditentry SET amount_minor = amount_minor + 1",
    "DELETE FROM billing_creditentry",
    "INSERT INTO billing_creditentry (credit_id, kind, amount_minor, recorded_at, recorded_by) "
    "SELECT id, 'granted', 1, now(), 'x' FROM billing_credit",
    "INSERT INTO billing_numbercounter (series_id, year, last_number) SELECT id, 2099, 5 FROM billing_numberseries",
    "UPDATE billing_numbercounter SET last_number = last_number - 1",
    "UPDATE billing_numbercounter SET last_number = last_number + 2",
    "DELETE FROM billing_numbercounter",
    "TRUNCATE billing_numbercounter CASCADE",
    "UPDATE billing_brandasset SET content = ''",
    "DELETE FROM billing_mailreport",
    "UPDATE billing_charge SET terms = '{}'",
    "DELETE FROM billing_planversion",
    "UPDATE customers_auditevent SET actor_label = 'nobody'",
    "DELETE FROM customers_auditevent",
    "TRUNCATE customers_auditevent",
    "UPDATE usage_event SET data = '{}'",
    "DELETE FROM usage_event",
    "TRUNCATE usage_event",
    "DELETE FROM usage_event_2026_01",
    "TRUNCATE usage_event_2026_01",
    "ALTER TABLE usage_event DETACH PARTITION usage_event_2026_01",
    "DROP TABLE usage_event_2026_01",
    "DELETE FROM usage_eventkey",
    "UPDATE usage_eventkey SET content = 0",
    "SELECT squill_make_event_month('2026-01-02')",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
    "SELECT setval(pg_get_serial_sequence('billing_invoice', 'id'), 1)",
    "ALTER ROLE CURRENT_USER SUPERUSER",
]
WATCHED = (
    "billing_invoice billing_invoiceline billing_invoicetax billing_invoicediscount billing_creditnote billing_creditnoteline "
    "billing_creditnotetax billing_document billing_payment billing_paymentallocation billing_credit billing_creditentry "
    "billing_numbercounter billing_brandasset billing_mailreport billing_charge billing_planversion customers_auditevent "
    "usage_event usage_eventkey"
).split()


def set_roles() -> str:
    out = StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))
        call_command("database_roles", "--app-role", ROLE, "--password-stdin", stdout=out)
    return out.getvalue()


@pytest.fixture
def role() -> Iterator[str]:
    told = set_roles()
    yield told
    sql(f"DROP OWNED BY {ROLE}")
    sql(f"DROP ROLE {ROLE}")


@contextmanager
def as_app() -> Iterator[None]:
    """Everything in the block comes from the application's own connection."""
    kept = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=ROLE, PASSWORD=PASSWORD)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def contents() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for table in WATCHED:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")  # noqa: S608 (constants)
            found[table] = cursor.fetchall()
    return found


def the_books() -> None:
    """A row in every table that is watched."""
    make_catalog()
    customer = make_customer(tax_rate_pct="20")
    coupon = Coupon.objects.create(code="ten", name="Ten", percent="10", duration="forever", created_at=NOW)
    CouponRedemption.objects.create(coupon=coupon, customer=customer, redeemed_at=NOW)
    subscribe(customer)
    send_usage(customer, "call", 150, "2026-01-10")
    bill("2026-02-01")
    invoice = Invoice.objects.get()
    record_payment(
        invoice_id=invoice.pk, amount_minor=100, received_on=NOW.date(), reference="R", actor=ACTOR, now=at("2026-02-02")
    )
    credit = Credit.objects.create(
        customer=customer, kind="paid", name="Prepaid", currency="EUR", amount_minor=5000, granted_at=NOW
    )
    CreditEntry.objects.create(credit=credit, kind="granted", amount_minor=5000, recorded_at=NOW, recorded_by="x")
    Document.objects.create(invoice=invoice, storage_key="k", sha256="1" * 64, size_bytes=1, renderer="tests", rendered_at=NOW)
    BrandAsset.objects.create(sha256="2" * 64, media_type="image/png", content=b"x", added_at=NOW)
    MailReport.objects.create(notification_id="n", kind="bounce", message_id="m", received_at=NOW)
    credit_invoice(invoice)
    bill("2026-03-01", finalize=False)


@transaction.atomic
def credit_invoice(invoice: Invoice) -> None:
    """1.00 of the first line at 20 %: by rows, since the attack is on rows."""
    series = NumberSeries.objects.create(billing_entity=invoice.billing_entity, kind="credit_note", pattern="CN-{number:06}")
    counter = NumberCounter.objects.create(series=series)
    counter.last_number += 1
    counter.save()
    note = CreditNote.objects.create(
        invoice=invoice,
        customer=invoice.customer,
        billing_entity=invoice.billing_entity,
        number="CN-000001",
        counter=counter,
        sequence=1,
        reason="goodwill",
        reference="r",
        currency="EUR",
        issued_on=NOW.date(),
        issued_at=NOW,
        subtotal_minor=100,
        tax_minor=20,
        total_minor=120,
        to_balance_minor=120,
    )
    line = invoice.lines.order_by("position")[0]
    CreditNoteLine.objects.create(
        credit_note=note, position=1, invoice_line=line, description="x", quantity=1, exact_amount=1, amount_minor=100
    )
    CreditNoteTax.objects.create(credit_note=note, rate_pct=20, base_minor=100, amount_minor=20)
    CreditNote.objects.filter(pk=note.pk).update(snapshot={"number": "CN-000001"})


def test_no_statement_of_the_role_changes_what_is_final(role: str, subtests: pytest.Subtests) -> None:
    the_books()
    owner, before = str(connection.settings_dict["USER"]), contents()
    assert all(before.values())
    assert len(ATTACKS) >= 40
    with as_app():
        for attack in ATTACKS:
            with subtests.test(attack=attack), pytest.raises(DatabaseError), transaction.atomic():
                sql(attack.replace("{owner}", owner))
    assert contents() == before


def test_squill_works_with_it_from_the_first_event_to_the_money(role: str) -> None:
    sql("DROP TABLE IF EXISTS usage_event_2031_03")
    with as_app():
        make_catalog()
        customer = make_customer()
        subscribe(customer, starts="2031-03-01", now=at("2031-03-01"))
        send_usage(customer, "call", 300, "2031-03-10")  # its month has no table yet
        bill("2031-04-01", finalize=False)
        draft = Invoice.objects.get()
        invoice = finalize_invoice(invoice_id=draft.pk, as_of=at("2031-04-02"), actor=ACTOR, now=at("2031-04-02"))
        void_invoice(invoice_id=invoice.pk, reason="x", actor=ACTOR, now=at("2031-04-03"), reissue=True)
        bill("2031-04-04")
        again = Invoice.objects.get(number="INV-000002")
        pay: dict[str, Any] = {
            "invoice_id": again.pk,
            "received_on": at("2031-04-09").date(),
            "actor": ACTOR,
            "now": at("2031-04-09"),
        }
        record_payment(amount_minor=1200, reference="bank-1", **pay)
        assert reconcile().differences == ()
    again.refresh_from_db()
    assert (again.status, again.due_minor, again.replaces_id) == ("paid", 1200, invoice.pk)
    assert at("2031-03-01").date() in existing_months()


def test_run_again_it_says_the_same_and_gives_the_same(role: str) -> None:
    with connection.cursor() as cursor:
        rights = "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        cursor.execute(rights)
        first = cursor.fetchall()
        assert role.splitlines()[0] == f"{ROLE}: made"
        assert set_roles().splitlines() == role.splitlines()[1:]
        cursor.execute(rights)
        assert cursor.fetchall() == first
    told = dict(line.split(": ", 1) for line in role.splitlines()[3:])
    assert told["customers_auditevent"] == "select, insert"
    assert told["billing_invoice"] == "select, insert, update, delete"
    assert told["billing_payment"] == "select, insert, update"
    assert told["usage_eventkey"] == "select, insert, update"
    assert told["django_migrations"] == "select"


def test_a_role_that_no_right_would_bind_is_refused() -> None:
    owner = str(connection.settings_dict["USER"])
    with pytest.raises(CommandError, match=f"{owner} (is a superuser|owns tables)"):
        call_command("database_roles", "--app-role", owner)
    with pytest.raises(CommandError, match="small letters"):
        call_command("database_roles", "--app-role", 'x"; DROP ROLE y')
    sql(f"CREATE ROLE {ROLE} CREATEROLE")
    try:
        with pytest.raises(CommandError, match="may make roles"):
            call_command("database_roles", "--app-role", ROLE)
    finally:
        sql(f"DROP ROLE {ROLE}")
