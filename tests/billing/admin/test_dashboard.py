import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import BillingPeriod
from customers.models import User
from tests.billing.builders import at, bill, send_usage
from tests.billing.desks import small_books

pytestmark = pytest.mark.django_db


def test_the_first_page_says_what_is_open_and_what_waits(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    small_books()
    bill("2026-03-01", finalize=False)
    send_usage("nobody", "call", 1, "2026-02-10")
    BillingPeriod.objects.filter(index=2).update(parked_at=at("2026-03-02"))
    monkeypatch.setenv("SQUILL_NOW", "2026-03-04T00:00:00Z")
    answer = desk.get("/admin/")
    context = answer.context
    assert context["receivables"] == [{"open": "€30.00", "open_count": 1, "overdue": "€30.00", "overdue_count": 1}]
    assert (context["draft_count"], context["parked_count"], context["quarantine_count"]) == (1, 1, 1)
    assert (context["latest_run"]["drafted"], context["latest_run"]["finalized"]) == (1, 0)


def test_invoices_are_added_up_by_month_and_currency(desk: Client) -> None:
    small_books()
    [euros] = desk.get("/admin/").context["currencies"]
    assert euros["currency"] == "EUR"
    # Half a year at least, up to the running month.
    assert [(month["name"], month["amount"]) for month in euros["months"]] == [
        ("Sept 2025", "–"),
        ("Oct 2025", "–"),
        ("Nov 2025", "–"),
        ("Dec 2025", "–"),
        ("Jan 2026", "–"),
        ("Feb 2026", "€30.00"),
    ]


def test_an_empty_desk_opens(desk: Client) -> None:
    assert "all is paid" in desk.get("/admin/").content.decode()


def test_whoever_may_see_nothing_is_shown_nothing(client: Client) -> None:
    small_books()
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_meter"))
    client.force_login(clerk)
    page = client.get("/admin/").content.decode()
    assert "€30.00" not in page
    assert "Latest billing run" not in page


def test_the_number_of_queries_does_not_grow(desk: Client) -> None:
    small_books()
    with CaptureQueriesContext(connection) as captured:
        desk.get("/admin/")
    # Session, user; receivables, drafts, months, parked, quarantine, run.
    assert len(captured) == 8
