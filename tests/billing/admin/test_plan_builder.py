"""Plans built in a form: what it holds goes the way of the catalogue, and every refusal stands at its field."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing.catalog.drafts import publish_draft
from billing.catalog.specs import plan_spec
from billing.models import Charge, Plan, PlanVersion, Subscription
from customers.models import AuditEvent, User
from tests.billing.builders import ACTOR, NOW, make_catalog, make_customer, row_counts, subscribe

pytestmark = pytest.mark.django_db

ADD = "/admin/billing/plan/add/"
# A graduated charge on the meter of the catalogue, and seats in advance.
GROWTH = {
    "name": "Growth",
    "code": "growth",
    "kind": "plan",
    "currency": "eur",
    "interval": "monthly",
    "interval_count": "1",
    "anchor": "calendar",
    "trial_days": "14",
    "minimum_commitment": "50",
    "charges-0-name": "Calls",
    "charges-0-code": "calls",
    "charges-0-prices": "usage",
    "charges-0-meter": "calls",
    "charges-0-only:region": "eu",
    "charges-0-model": "graduated",
    "charges-0-tiers-0-up_to": "1000",
    "charges-0-tiers-0-unit_amount": "0",
    "charges-0-tiers-1-up_to": "",
    "charges-0-tiers-1-unit_amount": "0.02",
    "charges-0-tiers-1-flat_amount": "5",
    "charges-0-minimum_amount": "1",
    "charges-0-free_when_unused": "on",
    "charges-1-name": "Seats",
    "charges-1-code": "seats",
    "charges-1-prices": "quantity",
    "charges-1-default_quantity": "3",
    "charges-1-model": "per_unit",
    "charges-1-unit_amount": "12",
    "charges-1-billed": "in_advance",
    "charges-1-tax_class": "reduced",
    "charges-1-tax_rate": "7",
}


def send(desk: Client, path: str, step: str = "save", **changes: str) -> str:
    """Send the form of GROWTH with some fields changed, those of None left out; return the page that comes back."""
    data = {**GROWTH, "step": step, **{key.replace("__", "-"): value for key, value in changes.items()}}
    answer = desk.post(path, data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def errors(page: str) -> dict[str, str]:
    """Return what the page says at its fields, by the name of the field."""
    found = re.findall(r'<p class="desk-error" id="id_([^"]+)_error">([^<]*)</p>', page)
    return {name: html.unescape(message) for name, message in found}


def draft() -> PlanVersion:
    return PlanVersion.objects.select_related("plan", "customer").get(status=PlanVersion.Status.DRAFT)


def test_a_plan_is_built_with_tiers_filter_and_seats(desk: Client) -> None:
    make_catalog()
    page = send(desk, ADD)
    assert "Nobody can have it before it is published." in page
    assert plan_spec(draft()).members() == {
        "code": "growth",
        "name": "Growth",
        "currency": "EUR",
        "interval": "monthly",
        "anchor": "calendar",
        "trial_days": 14,
        "minimum_commitment": "50",
        "charges": [
            {
                "code": "calls",
                "name": "Calls",
                "meter": "calls",
                "filter": {"region": "eu"},
                "model": "graduated",
                "tiers": [
                    {"up_to": "1000", "unit_amount": "0"},
                    {"up_to": None, "unit_amount": "0.02", "flat_amount": "5"},
                ],
                "minimum_amount": "1",
                "charge_when_unused": False,
            },
            {
                "code": "seats",
                "name": "Seats",
                "model": "per_unit",
                "unit_amount": "12",
                "default_quantity": "3",
                "billed": "in_advance",
                "tax_class": "reduced",
                "tax_rate": "7",
            },
        ],
    }
    event = AuditEvent.objects.get(action="plan.draft_saved")
    assert event.actor_label == "finance@example.com"


def test_the_same_form_twice_writes_once(desk: Client) -> None:
    make_catalog()
    send(desk, ADD)
    before = row_counts()
    assert "Nobody can have it before it is published." in send(desk, ADD)
    assert row_counts() == before


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"code": ""}, "code", "is missing"),
        ({"currency": "XXX"}, "currency", "unknown currency 'XXX'"),
        ({"billing_day": "32"}, "billing_day", "write a whole number from 1 to 31"),
        ({"minimum_commitment": "0"}, "minimum_commitment", "must be more than zero"),
        ({"charges-0-code": "a b"}, "charges-0-code", "letters, digits"),
        ({"charges-0-model": ""}, "charges-0-model", "is missing"),
        ({"charges-0-meter": ""}, "charges-0-meter", "name the meter"),
        ({"charges-0-tiers-0-up_to": "x"}, "charges-0-tiers-0-up_to", "must be a decimal string"),
        ({"charges-0-tiers-1-up_to": "2000"}, "charges-0-tiers-1-up_to", "the last tier has to be open"),
        ({"charges-0-tiers-1-unit_amount": "-1"}, "charges-0-tiers-1-unit_amount", "must be zero or more"),
        ({"charges-0-tiers-0-rate": "1"}, "charges-0-tiers-0-rate", "unknown member"),
        ({"charges-0-maximum_amount": "0.5"}, "charges-0-maximum_amount", "must be at least minimum_amount"),
        ({"charges-0-unit_amount": "1"}, "charges-0-unit_amount", "unknown member"),
        ({"charges-1-default_quantity": ""}, "charges-1-default_quantity", "give default_quantity"),
        ({"charges-1-unit_amount": "1,5"}, "charges-1-unit_amount", "must be a decimal string"),
        ({"charges-1-tax_class": "E Book"}, "charges-1-tax_class", "small letters"),
        ({"charges-1-tax_rate": "120"}, "charges-1-tax_rate", "percent from 0 to 100"),
        ({"charges-1-code": "calls"}, "charges-1-code", "stands twice"),
        ({"charges-1-model": "percentage", "charges-1-rate": "1", "charges-1-unit_amount": ""}, "charges-1-model", "not seats"),
    ],
)
def test_what_the_reader_refuses_stands_at_its_field(desk: Client, changes: dict[str, str], field: str, message: str) -> None:
    make_catalog()
    before = row_counts()
    found = errors(send(desk, ADD, **changes))
    assert message in found.get(field, ""), found
    assert row_counts() == before


def test_all_charges_are_checked_at_once(desk: Client) -> None:
    make_catalog()
    wrong = {"charges-0-tiers-0-up_to": "", "charges-1-unit_amount": "", "trial_days": "many"}
    found = errors(send(desk, ADD, **wrong))
    assert set(found) == {"charges-0-tiers-0-up_to", "charges-1-unit_amount", "trial_days"}


def test_a_tier_that_only_has_its_place_lacks_its_price(desk: Client) -> None:
    make_catalog()
    found = errors(send(desk, ADD, **{"charges-0-tiers-1-unit_amount": "", "charges-0-tiers-1-flat_amount": ""}))
    assert "a tier needs unit_amount or flat_amount" in found["charges-0-tiers-1-unit_amount"]


def test_what_the_catalogue_refuses_stands_at_its_field(desk: Client) -> None:
    """A percentage needs a meter that sums; the plan of another name has this code already."""
    make_catalog()
    before = row_counts()
    assert "there is a plan basic" in errors(send(desk, ADD, code="basic"))["code"]
    counting = "meters:\n  - {code: hits, event_type: hit, aggregation: count}\n"
    make_catalog(counting)
    before["usage_meter"] += 1
    after = row_counts()
    percentage = {"charges-0-meter": "hits", "charges-0-only:region": "", "charges-0-model": "percentage", "charges-0-rate": "1"}
    tiers = {f"charges-0-tiers-{place}-{name}": "" for place in (0, 1) for name in ("up_to", "unit_amount", "flat_amount")}
    found = errors(send(desk, ADD, **percentage, **tiers))
    assert "name a meter with the aggregation sum" in found["charges-0-meter"]
    assert row_counts() == after


def test_an_add_on_has_no_anchor_and_may_be_charged_once(desk: Client) -> None:
    make_catalog()
    fee = {key: "" for key in GROWTH if key.startswith("charges-")}
    fee |= {"charges-0-name": "Setup", "charges-0-code": "setup", "charges-0-prices": "flat", "charges-0-amount": "500"}
    facts = {"kind": "add_on", "interval": "once", "trial_days": "", "minimum_commitment": ""}
    send(desk, ADD, **facts, **fee)
    spec = plan_spec(draft())
    assert (spec.kind, spec.interval, spec.charges[0].terms.model.name) == ("add_on", "once", "flat")


def test_rows_come_go_and_move_without_a_script(desk: Client) -> None:
    make_catalog()
    before = row_counts()
    assert 'name="charges-2-name"' in send(desk, ADD, step="add")
    assert 'name="charges-0-tiers-2-up_to"' in send(desk, ADD, step="tier:0")
    moved = send(desk, ADD, step="down:0")
    assert re.search(r'name="charges-0-name" value="Seats"', moved)
    assert re.search(r'name="charges-1-tiers-0-up_to" value="1000"', moved)
    left = send(desk, ADD, step="remove:0")
    assert re.search(r'name="charges-0-name" value="Seats"', left)
    assert 'value="Calls"' not in left
    assert 'value="Growth"' in send(desk, ADD, step="remove:99")
    assert row_counts() == before


def test_quantities_are_tried_before_anything_is_saved(desk: Client) -> None:
    """3,000 calls: 2,000 x 0.02 + 5.00 = 45.00; 4 seats x 12.00 = 48.00; together 93.00."""
    make_catalog()
    before = row_counts()
    page = send(desk, ADD, step="try", **{"try-calls": "3000", "try-seats": "4"})
    assert "€45.00" in page
    assert "€48.00" in page
    assert "€93.00" in page
    assert "must be a decimal string" in send(desk, ADD, step="try", **{"try-calls": "many"})
    assert row_counts() == before


def test_the_page_of_a_version_tries_quantities_up_to_the_commitment(desk: Client) -> None:
    """Nothing used: 3 seats x 12.00 = 36.00, and 14.00 up to 50.00."""
    make_catalog()
    send(desk, ADD)
    path = f"/admin/billing/planversion/{draft().pk}/change/"
    page = desk.get(path, {"try-calls": "", "try-seats": "3"}).content.decode()
    for text in ("€36.00", "Up to the minimum commitment", "€14.00", "€50.00", "first 1,000: free"):
        assert text in page, text


def test_a_draft_is_edited_until_it_is_published(desk: Client) -> None:
    make_catalog()
    send(desk, ADD)
    version = draft()
    edit = f"/admin/billing/planversion/{version.pk}/edit/"
    form = desk.get(edit).content.decode()
    assert re.search(r'name="charges-0-tiers-0-up_to" value="1000"', form)
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', form)
    assert seen is not None
    # The code is fixed, whatever is sent.
    send(desk, edit, seen=seen[1], code="other", **{"charges-1-unit_amount": "13"})
    assert plan_spec(draft()).members()["charges"][1]["unit_amount"] == "13"
    assert Plan.objects.filter(code="other").count() == 0

    stale = send(desk, edit, seen=seen[1], **{"charges-1-unit_amount": "14"})
    assert "somebody has changed this draft" in stale
    assert plan_spec(draft()).members()["charges"][1]["unit_amount"] == "13"

    publish_draft(version_id=version.pk, actor=ACTOR, now=NOW)
    assert "is no draft any more" in send(desk, edit, **{"charges-1-unit_amount": "15"})
    assert Charge.objects.get(code="seats").terms["unit_amount"] == "13"


def test_a_published_version_begins_a_draft_of_another_currency_too(desk: Client) -> None:
    make_catalog()
    version = PlanVersion.objects.get()
    path = f"/admin/billing/planversion/{version.pk}/new-draft/"
    assert re.search(r'name="charges-0-amount" value="10"', desk.get(path).content.decode())
    send(desk, path, currency="USD", name="ignored")
    made = draft()
    assert (made.plan.code, made.plan.name, made.currency) == ("basic", "Basic", "USD")
    # The draft is not written over by somebody who has not seen it.
    before = row_counts()
    assert "edit or discard that" in errors(send(desk, path, currency="USD", trial_days="7"))["currency"]
    assert row_counts() == before


def test_publishing_says_what_differs_and_asks_first(desk: Client) -> None:
    make_catalog()
    sold = PlanVersion.objects.get()
    subscribe(make_customer())
    desk.post(
        f"/admin/billing/planversion/{sold.pk}/new-draft/",
        {
            "currency": "EUR",
            "interval": "monthly",
            "charges-0-code": "fee",
            "charges-0-name": "Platform fee",
            "charges-0-prices": "flat",
            "charges-0-amount": "12",
        },
    )
    version = draft()
    path = f"/admin/billing/planversion/{version.pk}/publish/"
    page = desk.get(path).content.decode()
    assert "Platform fee: 10 → 12" in page
    assert "Calls removed" in page
    assert "1 subscription is on Basic v1" in page
    assert draft() == version
    assert "Basic v2 is on sale." in desk.post(path, follow=True).content.decode()
    sold.refresh_from_db()
    assert sold.status == PlanVersion.Status.ARCHIVED
    assert Subscription.objects.get().plan_version == sold
    assert AuditEvent.objects.get(action="plan.version_published").actor_label == "finance@example.com"
    # A second click finds it published.
    assert "never changes: save a new draft" in desk.post(path, follow=True).content.decode()


def test_versions_are_compared_archived_and_discarded(desk: Client) -> None:
    make_catalog()
    send(desk, ADD)
    sold, other = PlanVersion.objects.get(status="published"), draft()
    compared = desk.get(f"/admin/billing/planversion/{other.pk}/compare/", {"other": sold.pk}).content.decode()
    assert "trial: none → 14 days" in compared

    archive = f"/admin/billing/planversion/{sold.pk}/archive/"
    assert "Whoever has it keeps it" in desk.get(archive).content.decode()
    assert "is not sold any more" in desk.post(archive, follow=True).content.decode()
    assert "is archived already" in desk.post(archive, follow=True).content.decode()

    discard = f"/admin/billing/planversion/{other.pk}/discard/"
    assert "The draft of Growth is gone." in desk.post(discard, follow=True).content.decode()
    assert not Plan.objects.filter(code="growth").exists()
    assert desk.get(discard).status_code == 404


def test_a_customers_own_version_is_derived_and_stays_theirs(desk: Client) -> None:
    make_catalog()
    customer, dollars = make_customer(), make_customer("summit", currency="USD")
    path = f"/admin/billing/planversion/{PlanVersion.objects.get().pk}/derive/"
    before = row_counts()
    assert "customer summit pays in USD" in desk.post(path, {"customer": dollars.pk}, follow=True).content.decode()
    assert row_counts() == before

    page = desk.post(path, {"customer": customer.pk}, follow=True).content.decode()
    assert "Only Acme can have this version" in page
    made = draft()
    assert (made.customer, made.derived_from.version if made.derived_from else 0) == (customer, 1)
    assert "has a draft of its own already" in desk.post(path, {"customer": customer.pk}, follow=True).content.decode()


def test_who_may_only_look_builds_and_publishes_nothing(client: Client) -> None:
    make_catalog()
    version = PlanVersion.objects.get()
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_plan", "view_planversion"]))
    client.force_login(clerk)
    before: Any = row_counts()
    assert client.get(f"/admin/billing/planversion/{version.pk}/change/").status_code == 200
    assert client.get(f"/admin/billing/planversion/{version.pk}/compare/").status_code == 200
    assert client.post(ADD, GROWTH).status_code == 403
    for action in ("edit", "new-draft", "publish", "derive", "archive", "discard", "past-usage"):
        assert client.post(f"/admin/billing/planversion/{version.pk}/{action}/", GROWTH).status_code == 403, action
    assert client.post(f"/admin/billing/plan/{version.plan_id}/move/", {"when": "now", "step": "do"}).status_code == 403
    assert row_counts() == before
