"""Crediting in the finance desk: a form, a page that says what will happen, then a service call with the person on the trail."""

import re
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing.invoicing.crediting.issuing import issue_credit_note
from billing.invoicing.paying.payments import record_payment
from billing.models import CreditNote, Delivery, Invoice, Subscription
from customers.models import AuditEvent, User
from tests.billing.builders import ACTOR, at, bill, make_catalog, make_customer, row_counts, send_usage, subscribe
from tests.billing.desks import invoice_of, small_books
from usage.corrections import void_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice() -> Invoice:
    """10.00 for the fee, 15.00 for calls, 20 % tax: 30.00."""
    return invoice_of(small_books())


def text(answer: object) -> str:
    content: bytes = answer.content  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content.decode()).replace("\xa0", " "))


def kept(answer: object) -> dict[str, str]:
    """The hidden fields of a page."""
    content: str = answer.content.decode()  # type: ignore[attr-defined]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', content)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def reference_of(answer: object) -> str:
    return kept(answer)["reference"]


def test_an_amount_is_credited_after_a_page_that_says_what_will_happen(desk: Client, invoice: Invoice) -> None:
    path = f"/admin/billing/invoice/{invoice.pk}/credit/"
    form = desk.get(path)
    assert path in desk.get(f"/admin/billing/invoice/{invoice.pk}/change/").content.decode()
    for words in ("1. Platform fee", "2. Calls", "€15.00", "All that is left"):
        assert words in text(form), words
    before = row_counts()
    typed = {"line-2": "5.00", "reason": "goodwill", "explanation": "Outage", "rest": "balance", "reference": reference_of(form)}
    look = desk.post(path, typed | {"step": "look"})
    for words in (
        "€5.00",
        "Tax 20% on €5.00 €1.00",
        "Total credited €6.00",
        "€6.00 are taken off what is left to pay of the invoice.",
        "issued on 15 February 2026 with the next number, CN-000001, and never changes again",
        "It is mailed to billing@acme.example.",
        "Nothing is changed yet.",
    ):
        assert words in text(look), words
    assert row_counts() == before
    assert CreditNote.objects.count() == 0

    done = desk.post(path, kept(look) | {"step": "do"}, follow=True)
    assert "CN-000001 credits €6.00." in text(done)
    desk.post(path, kept(look) | {"step": "do"})  # a second click
    note = CreditNote.objects.get()
    assert (note.total_minor, note.reason, note.explanation) == (600, "goodwill", "Outage")
    who = AuditEvent.objects.filter(action="credit_note.issued").values_list("actor_label", flat=True)
    assert list(who) == ["finance@example.com"]
    page = text(desk.get(f"/admin/billing/invoice/{invoice.pk}/change/"))
    for words in ("€6.00 credited", "CN-000001", "Invoice credited"):
        assert words in page, words


def test_all_that_is_left_is_one_button(desk: Client, invoice: Invoice) -> None:
    path = f"/admin/billing/invoice/{invoice.pk}/credit/"
    typed = {"line-2": "", "reason": "other", "rest": "balance", "reference": "desk-1"}
    look = desk.post(path, typed | {"step": "all"})
    assert "Nothing is left to pay of INV-000001 then: it is paid." in text(look)
    desk.post(path, kept(look) | {"step": "do"})
    invoice.refresh_from_db()
    assert (invoice.status, invoice.credited_minor) == ("paid", 3000)


def test_what_is_refused_stands_at_its_line_and_writes_nothing(desk: Client, invoice: Invoice) -> None:
    path = f"/admin/billing/invoice/{invoice.pk}/credit/"
    typed = {"reason": "other", "rest": "balance", "reference": "desk-1", "step": "look"}
    assert "15.00 EUR are left of line 2" in text(desk.post(path, typed | {"line-2": "15.01"}))
    assert "name a line at least, or credit the whole invoice" in text(desk.post(path, typed))
    assert "cannot be paid back" not in text(desk.post(path, typed | {"line-1": "1", "rest": "refund"}))
    assert "Enter a number" in text(desk.post(path, typed | {"line-1": "much"}))
    look = desk.post(path, typed | {"line-1": "1"})
    edited = desk.post(path, kept(look) | {"step": "edit"})
    assert 'value="1"' in edited.content.decode()
    assert CreditNote.objects.count() == 0


def test_only_what_may_be_credited_has_the_button(desk: Client, invoice: Invoice) -> None:
    bill("2026-03-01", finalize=False)
    draft = Invoice.objects.get(status="draft")
    path = f"/admin/billing/invoice/{draft.pk}/credit/"
    assert path not in desk.get(f"/admin/billing/invoice/{draft.pk}/change/").content.decode()
    assert "a draft is worked out anew" in text(desk.get(path, follow=True))


def test_the_list_and_the_page_show_it_and_paying_back_is_marked(desk: Client, invoice: Invoice) -> None:
    record_payment(
        invoice_id=invoice.pk, amount_minor=3000, received_on=date(2026, 2, 5), reference="R", actor=ACTOR, now=at("2026-02-05")
    )
    path = f"/admin/billing/invoice/{invoice.pk}/credit/"
    typed = {
        "line-1": "10",
        "reason": "goodwill",
        "explanation": "Outage",
        "rest": "refund",
        "reference": "desk-1",
        "step": "look",
    }
    desk.post(path, kept(desk.post(path, typed)) | {"step": "do"})
    note = CreditNote.objects.get()
    page = f"/admin/billing/creditnote/{note.pk}/"
    for words in ("CN-000001", "€12.00 are to be paid back"):
        assert words in text(desk.get("/admin/billing/creditnote/?refund=open")), words
        assert words in text(desk.get(f"{page}change/")), words
    assert "CN-000001" not in text(desk.get("/admin/billing/creditnote/?refund=done"))
    assert "Have €12.00 of CN-000001 been paid back" in text(desk.get(f"{page}refunded/"))
    assert "CN-000001 is marked as paid back." in text(desk.post(f"{page}refunded/", {"reference": "SEPA-9"}, follow=True))
    assert "€12.00 are paid back, as SEPA-9." in text(desk.get(f"{page}change/"))
    assert f"{page}refunded/" not in desk.get(f"{page}change/").content.decode()
    assert desk.get(f"{page}pdf/").status_code == 404  # not made yet
    assert desk.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert desk.get("/admin/billing/delivery/").status_code == 200


def test_a_credit_note_is_sent_again_to_the_address_that_is_typed(desk: Client, invoice: Invoice) -> None:
    issued: dict[str, Any] = {"reason": CreditNote.Reason.GOODWILL, "reference": "R", "actor": ACTOR, "now": at("2026-02-05")}
    note = issue_credit_note(invoice_id=invoice.pk, **issued)
    page = f"/admin/billing/creditnote/{note.pk}/"
    assert f"{page}resend/" in desk.get(f"{page}change/").content.decode()
    assert "Send CN-000001 with its PDF once more?" in text(desk.get(f"{page}resend/"))
    assert "Enter a valid email address." in text(desk.post(f"{page}resend/", {"recipient": "ana"}))
    assert not Delivery.objects.filter(recipient="ana@acme.example").exists()
    answer = desk.post(f"{page}resend/", {"recipient": "ana@acme.example"}, follow=True)
    assert "CN-000001 is on its way to ana@acme.example." in text(answer)
    assert Delivery.objects.get(recipient="ana@acme.example").credit_note == note
    assert AuditEvent.objects.filter(action="credit_note.resent", actor_label="finance@example.com").count() == 1


def test_differences_are_credited_from_the_page_of_the_subscription(desk: Client) -> None:
    make_catalog()
    subscription = subscribe(make_customer())
    send_usage("acme", "call", 600, "2026-01-10", event_id="twice")
    bill("2026-02-01")
    path = f"/admin/billing/subscription/{subscription.pk}/credit-corrections/"
    assert path in desk.get(f"/admin/billing/subscription/{subscription.pk}/change/").content.decode()
    assert "Nothing was billed too much" in text(desk.get(path))
    void_event(source="tests", event_id="twice", reason="sent twice", actor=ACTOR, now=at("2026-02-10"))
    page = desk.get(path)
    for words in ("Credit note to INV-000001", "Total credited €5.00"):
        assert words in text(page), words
    assert CreditNote.objects.count() == 0
    done = desk.post(path, {"explanation": "sent twice", "rest": "balance", "reference": "desk-7"}, follow=True)
    assert "The credit note CN-000001 is written." in text(done)
    assert CreditNote.objects.get().reason == "correction"


def test_what_came_to_light_after_the_last_invoice_is_drafted(desk: Client) -> None:
    make_catalog()
    subscription = subscribe(make_customer(), ends="2026-02-01")
    bill("2026-02-01")
    path = f"/admin/billing/subscription/{subscription.pk}/bill-differences/"
    assert path in desk.get(f"/admin/billing/subscription/{subscription.pk}/change/").content.decode()
    assert "is left to bill" in text(desk.post(path, follow=True))
    send_usage("acme", "call", 300, "2026-01-10")
    assert "A draft of €2.00 is written." in text(desk.post(path, follow=True))
    assert Invoice.objects.get(status="draft").total_minor == 200


def test_those_who_only_look_cannot_credit(client: Client, invoice: Invoice) -> None:
    looker = User.objects.create_user("looker@example.com", "correct horse battery", is_staff=True)
    names = ["view_invoice", "view_creditnote", "view_subscription"]
    looker.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(looker)
    subscription = Subscription.objects.get()
    for path in (
        f"/admin/billing/invoice/{invoice.pk}/credit/",
        f"/admin/billing/subscription/{subscription.pk}/credit-corrections/",
        f"/admin/billing/subscription/{subscription.pk}/bill-differences/",
    ):
        assert client.post(path, {"step": "all", "reason": "other", "rest": "balance", "reference": "x"}).status_code == 403
    assert CreditNote.objects.count() == 0
