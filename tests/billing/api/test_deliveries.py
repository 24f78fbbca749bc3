"""The notices of an invoice over HTTP: read, and sent once more."""

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from billing.delivery.suppression import suppress
from billing.models import Delivery, Invoice, SuppressedAddress
from customers.models import AuditEvent
from tests.billing.api.calling import Caller
from tests.billing.builders import ACTOR, at, bill, make_customer, row_counts
from tests.billing.desks import invoice_of, small_books

pytestmark = pytest.mark.django_db
PATH = "/invoices/INV-000001/resend"


def test_the_notices_are_listed_with_what_became_of_them() -> None:
    invoice_of(small_books())
    Delivery.objects.update(status="sent", attempts=2, sent_at=at("2026-02-01"), bounced_at=at("2026-02-02"), last_error="gone")
    answer = Caller("read").get("/invoices/INV-000001/deliveries")
    assert answer.status == 200
    assert answer.json == [
        {
            "kind": "invoice",
            "occasion": "",
            "recipient": "billing@acme.example",
            "status": "sent",
            "attempts": 2,
            "last_error": "gone",
            "queued_at": "2026-02-01T00:00:00Z",
            "sent_at": "2026-02-01T00:00:00Z",
            "delivered_at": None,
            "bounced_at": "2026-02-02T00:00:00Z",
            "complained_at": None,
        }
    ]


@pytest.mark.parametrize(("body", "recipient"), [({}, "billing@acme.example"), ({"recipient": "a@b.example"}, "a@b.example")])
def test_it_is_sent_again_to_the_customer_or_to_another(body: dict[str, str], recipient: str) -> None:
    invoice_of(small_books())
    Delivery.objects.update(status="sent", attempts=1)
    jobs = ProcrastinateJob.objects.count()
    answer = Caller().post(PATH, body)
    assert (answer.status, answer.json["recipient"], answer.json["status"], answer.json["attempts"]) == (
        202,
        recipient,
        "queued",
        0,
    )
    assert ProcrastinateJob.objects.count() > jobs
    assert AuditEvent.objects.get(action="invoice.resent").after == {"recipient": recipient}


def test_refusals_say_why_and_write_nothing() -> None:
    small_books()
    bill("2026-03-01", finalize=False)
    draft = Invoice.objects.get(status="draft")
    suppress(address="gone@acme.example", reason=SuppressedAddress.Reason.BOUNCE, detail="", actor=ACTOR, now=at("2026-02-03"))
    callers = Caller(), Caller("read"), Caller.narrowed_to(make_customer("other"))
    before = row_counts()
    writer, reader, stranger = callers
    assert writer.post(PATH, {"recipient": "gone@acme.example"}).json["errors"][0]["code"] == "suppressed"
    assert writer.post(f"/invoices/{draft.public_id}/resend", {}).json["errors"][0]["code"] == "draft"
    assert writer.post(PATH, {"recipient": "nobody"}).status == 400
    assert writer.post(PATH, {"to": "a@b.example"}).status == 400
    assert reader.post(PATH, {}).status == 403
    assert stranger.post(PATH, {}).status == 404
    assert stranger.get("/invoices/INV-000001/deliveries").status == 404
    assert row_counts() == before
