"""Credits pay final invoices in their order, come back from void ones, and are never used twice."""

from typing import Any

import pytest

from billing.invoicing.drafting import refresh_draft
from billing.invoicing.finalizing import finalize_invoice
from billing.invoicing.preview import upcoming_invoices
from billing.invoicing.snapshot import from_json
from billing.invoicing.snapshotting import draft_snapshot
from billing.invoicing.voiding import void_invoice
from billing.models import Credit, CreditEntry, Invoice
from billing.rating.terms import TermsBook
from billing.reductions.expiring import expire_credits
from billing.reductions.granting import grant_credit, refund_credit, void_credit
from billing.reductions.ledger import balances, state_of, with_balance, with_left
from billing.reductions.refusals import ReductionError
from customers.models import AuditEvent, Customer
from tests.billing.builders import ACTOR, NOW, at, bill, invoices, make_catalog, make_customer, subscribe
from tests.billing.offers import flat, make_version
from tests.billing.reductions.reduced import entries, grant, left, totals
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db


def ten_a_month(external_id: str = "acme", **fields: Any) -> Customer:
    """A customer that is billed 10.00 for each month of 2026."""
    make_catalog()
    customer = make_customer(external_id, **fields)
    subscribe(customer)
    return customer


def void(invoice: Invoice, when: str) -> None:
    void_invoice(invoice_id=invoice.pk, reason="wrong", actor=ACTOR, now=at(when))


def expire(when: str) -> list[tuple[str, int]]:
    return [(one.credit.reference, one.amount_minor) for one in expire_credits(now=at(when), actor=ACTOR)]


def test_a_credit_pays_after_tax_until_it_is_used_up() -> None:
    acme = ten_a_month(tax_rate_pct="20")
    credit = grant(acme, 1500)
    bill("2026-04-01")
    assert [totals(invoice) for invoice in invoices()] == [
        (1000, 0, 200, 1200, 1200, 0),
        (1000, 0, 200, 1200, 300, 900),
        (1000, 0, 200, 1200, 0, 1200),
    ]
    assert [invoice.status for invoice in invoices()] == ["paid", "finalized", "finalized"]
    assert entries(credit) == [("granted", 1500), ("used", -1200), ("used", -300)]
    said = from_json(invoices()[1].snapshot)
    assert [(one.kind, one.label, one.amount_minor) for one in said.credits] == [("promotional", "Gift", 300)]


def test_the_lowest_priority_pays_first_then_what_expires_first_then_the_oldest() -> None:
    acme = ten_a_month()
    grant(acme, 100, "old", when="2026-01-01")
    grant(acme, 100, "new", when="2026-01-02")
    grant(acme, 100, "late", expires_at=at("2027-01-01"))
    grant(acme, 100, "soon", expires_at=at("2026-06-01"))
    grant(acme, 100, "paid", kind="paid", cost_basis_minor=90, priority=5)
    grant(acme, 100, "after", priority=101)
    bill("2026-02-01")
    used = CreditEntry.objects.filter(kind="used").order_by("pk").values_list("credit__reference", flat=True)
    assert list(used) == ["paid", "soon", "late", "old", "new", "after"]


def test_a_credit_pays_only_in_its_currency_from_its_grant_and_before_its_expiry() -> None:
    acme = ten_a_month()
    grant(acme, 100, "dollars", currency="USD")
    grant(acme, 100, "gone", expires_at=at("2026-02-01"))
    grant(acme, 100, "last-moment", expires_at=at("2026-02-01T00:00:00.000001Z"))
    grant(acme, 100, "later", when="2026-02-01T00:00:00.000001Z")
    bill("2026-02-01")
    assert list(CreditEntry.objects.filter(kind="used").values_list("credit__reference", flat=True)) == ["last-moment"]
    assert [(one.currency, one.amount_minor) for one in balances(acme.pk)] == [("EUR", 200), ("USD", 100)]


def test_a_void_invoice_gives_back_what_it_used() -> None:
    acme = ten_a_month()
    credit = grant(acme, 400)
    bill("2026-02-01")
    void(invoices()[0], "2026-02-02")
    assert entries(credit) == [("granted", 400), ("used", -400), ("returned", 400)]
    bill("2026-02-03")
    assert [(one.status, one.credits_minor) for one in Invoice.objects.order_by("pk")] == [("void", 400), ("finalized", 400)]
    assert left(credit) == 0


def test_what_is_left_expires_once_and_what_comes_back_expires_again() -> None:
    acme = ten_a_month()
    credit = grant(acme, 1500, expires_at=at("2026-02-15"))
    bill("2026-02-01")
    assert expire("2026-02-14T23:59:59Z") == []
    assert expire("2026-02-15") == [("gift", 500)]
    assert expire("2026-02-16") == []
    void(invoices()[0], "2026-02-17")
    assert left(credit) == 1000
    assert expire("2026-02-18") == [("gift", 1000)]
    assert entries(credit) == [
        ("granted", 1500),
        ("used", -1000),
        ("expired", -500),
        ("returned", 1000),
        ("expired", -1000),
    ]
    trail = AuditEvent.objects.filter(action="credit.expired").order_by("pk").values_list("after", flat=True)
    assert [after["expired_minor"] for after in trail] == [500, 1000]
    bill("2026-02-19")
    assert Invoice.objects.latest("pk").credits_minor == 0


def test_expiry_stops_at_its_deadline_and_the_next_one_goes_on() -> None:
    for name in ("a", "b"):
        grant(make_customer(name), 100, expires_at=at("2026-02-01"))
    answers = iter([False, True])
    assert len(expire_credits(now=at("2026-02-01"), actor=ACTOR, deadline=lambda: next(answers))) == 1
    assert len(expire("2026-02-01")) == 1


def test_taking_back_leaves_what_was_paid_and_takes_what_comes_back() -> None:
    acme = ten_a_month()
    credit = grant(acme, 1500)
    bill("2026-02-01")
    for day in ("2026-02-02", "2026-02-03"):
        void_credit(credit_id=credit.pk, actor=ACTOR, now=at(day), reason="by mistake")
    void(invoices()[0], "2026-02-04")
    assert entries(credit) == [
        ("granted", 1500),
        ("used", -1000),
        ("voided", -500),
        ("returned", 1000),
        ("voided", -1000),
    ]
    credit.refresh_from_db()
    assert credit.voided_at == at("2026-02-02")
    event = AuditEvent.objects.get(action="credit.voided")
    assert event.after == {"currency": "EUR", "taken_back_minor": 500, "reason": "by mistake"}
    assert state_of(with_left(Credit.objects.all()).get(), now=NOW) == "voided"


def test_a_refund_pays_out_what_is_left_and_what_comes_back_can_be_used_again() -> None:
    acme = ten_a_month()
    credit = grant(acme, 1500, "prepaid", kind="paid", cost_basis_minor=1400)
    bill("2026-02-01")
    assert refund_credit(credit_id=credit.pk, actor=ACTOR, now=at("2026-02-02")) == 500
    with pytest.raises(ReductionError, match="nothing is left"):
        refund_credit(credit_id=credit.pk, actor=ACTOR, now=at("2026-02-02"))
    void(invoices()[0], "2026-02-03")
    bill("2026-02-04")
    assert entries(credit) == [
        ("granted", 1500),
        ("used", -1000),
        ("refunded", -500),
        ("returned", 1000),
        ("used", -1000),
    ]


def test_a_promotional_credit_is_not_paid_out() -> None:
    credit = grant(make_customer(), 100)
    with pytest.raises(ReductionError, match="only a prepaid credit") as caught:
        refund_credit(credit_id=credit.pk, actor=ACTOR, now=NOW)
    assert (caught.value.code, entries(credit)) == ("not_prepaid", [("granted", 100)])


def test_the_same_reference_again_is_the_same_credit() -> None:
    acme = make_customer()
    credit = grant(acme, 100)
    assert grant(acme, 100, when="2026-01-05").pk == credit.pk
    with pytest.raises(ReductionError, match="another credit already") as caught:
        grant(acme, 101)
    assert caught.value.code == "reference_differs"
    assert (entries(credit), AuditEvent.objects.filter(action="credit.granted").count()) == ([("granted", 100)], 1)
    assert grant(make_customer("other"), 101).pk != credit.pk


@pytest.mark.parametrize(
    ("members", "field", "words"),
    [
        ({"amount_minor": 0}, "amount", "above zero"),
        ({"amount_minor": 10**15}, "amount", "below"),
        ({"currency": "ABC"}, "currency", "ISO 4217"),
        ({"kind": "credit_note"}, "kind", "promotional, paid"),
        ({"name": ""}, "name", "printed on invoices"),
        ({"cost_basis_minor": 1}, "cost_basis", "nothing is paid for a promotional"),
        ({"kind": "paid", "cost_basis_minor": -1}, "cost_basis", "zero or more"),
        ({"priority": -1}, "priority", "from 0"),
        ({"expires_at": NOW}, "expires_at", "still to come"),
        ({"reference": "a/b"}, "reference", "without a slash"),
        ({"reference": " a"}, "reference", "no space at either end"),
        ({"reference": "\0"}, "reference", "printable"),
    ],
)
def test_a_credit_that_cannot_be_is_refused_in_words(members: dict[str, Any], field: str, words: str) -> None:
    acme = make_customer()
    before = AuditEvent.objects.count()
    facts: dict[str, Any] = {"kind": "promotional", "name": "Gift", "reference": "gift", "currency": "EUR", "amount_minor": 100}
    with pytest.raises(ReductionError, match=words) as caught:
        grant_credit(**{**facts, "customer_id": acme.pk, "actor": ACTOR, "now": NOW, **members})
    assert (caught.value.field, Credit.objects.count(), AuditEvent.objects.count()) == (field, 0, before)


def test_the_ledger_has_the_balance_after_each_entry_in_each_currency() -> None:
    acme = ten_a_month()
    grant(acme, 1500)
    grant(acme, 700, "dollars", currency="USD")
    grant(make_customer("other"), 9)
    bill("2026-02-01")
    ledger = with_balance(CreditEntry.objects.filter(credit__customer=acme)).order_by("-pk")
    assert [(one.kind, one.amount_minor, int(one.balance_minor)) for one in ledger] == [
        ("used", -1000, 500),
        ("granted", 700, 700),
        ("granted", 1500, 1500),
    ]
    assert int(ledger.filter(kind="used")[0].balance_minor) == 500


def test_a_draft_shows_what_is_left_today_and_its_parts_add_up() -> None:
    acme = ten_a_month()
    credit = grant(acme, 400)
    bill("2026-02-01", finalize=False)
    (draft,) = invoices()
    assert totals(draft) == (1000, 0, 0, 1000, 400, 600)
    void_credit(credit_id=credit.pk, actor=ACTOR, now=at("2026-02-02"))
    snapshot = draft_snapshot(draft)
    assert (snapshot.credits, snapshot.credits_minor, snapshot.due_minor) == ((), 0, 1000)
    refresh_draft(invoice_id=draft.pk, as_of=at("2026-02-02"), terms_book=TermsBook())
    assert totals(draft) == (1000, 0, 0, 1000, 0, 1000)


def test_previews_of_several_subscriptions_share_a_credit_and_use_nothing() -> None:
    make_version("a", flat("fee", "10"))
    make_version("b", flat("fee", "20"))
    acme = make_customer()
    subscribe(acme, "a")
    subscribe(acme, "b")
    credit = grant(acme, 1500)
    found = upcoming_invoices(acme, now=at("2026-01-15"))
    assert [(one.totals.total_minor, one.totals.due_minor) for one in found] == [(1000, 0), (2000, 1500)]
    assert entries(credit) == [("granted", 1500)]


@pytest.mark.django_db(transaction=True)
def test_invoices_finalised_at_once_never_use_the_same_money() -> None:
    for code in "abcd":
        make_version(code, flat("fee", "10"))
    acme = make_customer()
    for code in "abcd":
        subscribe(acme, code)
    credit = grant(acme, 2500)
    bill("2026-02-01", finalize=False)
    now = at("2026-02-01")
    in_threads(
        *[
            lambda pk=draft.pk: finalize_invoice(invoice_id=pk, as_of=now, actor=ACTOR, now=now)
            for draft in invoices(status="draft")
        ]
    )
    assert sorted(invoice.credits_minor for invoice in invoices()) == [0, 500, 1000, 1000]
    assert left(credit) == 0


@pytest.mark.django_db(transaction=True)
def test_a_credit_is_granted_expired_and_taken_back_once_however_many_do_it() -> None:
    acme = make_customer()
    granted = in_threads(*[lambda: grant(acme, 100, expires_at=at("2026-02-01")).pk] * 4)
    credit = Credit.objects.get()
    assert granted == [credit.pk] * 4
    in_threads(*[lambda: expire("2026-02-01")] * 4)
    in_threads(*[lambda: void_credit(credit_id=credit.pk, actor=ACTOR, now=at("2026-02-02"))] * 4)
    assert entries(credit) == [("granted", 100), ("expired", -100)]
    assert AuditEvent.objects.filter(action__startswith="credit.").count() == 3
