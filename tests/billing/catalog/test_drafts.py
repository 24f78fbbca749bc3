"""Drafts are saved as often as it takes; one is published or discarded, once. What was on sale is archived, never changed."""

from collections.abc import Callable
from typing import Any

import pytest

from billing.catalog.document import read_plan
from billing.catalog.drafts import archive_version, discard_draft, publish_draft, save_draft
from billing.catalog.errors import CatalogError
from billing.catalog.plans import draft_version, publish_plan, published_version, version_for
from billing.catalog.specs import export_catalog, plan_spec
from billing.catalog.values import PlanSpec
from billing.models import Charge, Plan, PlanVersion
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, NOW, at, make_catalog, make_customer, row_counts
from tests.usage.builders import in_threads

pytestmark = pytest.mark.django_db
LATER = at("2026-02-01")


def fee(amount: str = "10", **members: Any) -> PlanSpec:
    plan: dict[str, Any] = {"code": "fee", "name": "Fee", "currency": "EUR"}
    charges = [{"code": "fee", "name": "Fee", "model": "flat", "amount": amount}]
    return read_plan(plan | {"charges": charges} | members)


def save(spec: PlanSpec) -> PlanVersion:
    return save_draft(spec=spec, actor=ACTOR, now=NOW)


def publish(spec: PlanSpec) -> PlanVersion:
    return publish_plan(spec=spec, actor=ACTOR, now=NOW)


def standing() -> list[tuple[int, str, str]]:
    """Every version: its number, its state, and what the fee is."""
    versions = PlanVersion.objects.order_by("version")
    return [(version.version, version.status, Charge.objects.get(plan_version=version).terms["amount"]) for version in versions]


def refused(call: Callable[[], Any]) -> CatalogError:
    before = row_counts()
    with pytest.raises(CatalogError) as caught:
        call()
    assert row_counts() == before
    return caught.value


def test_a_draft_is_changed_freely_and_sells_nothing() -> None:
    first = save(fee("10"))
    second = save(fee("12", trial_days=14))

    assert first.pk == second.pk
    assert standing() == [(1, "draft", "12")]
    assert plan_spec(second) == fee("12", trial_days=14)
    assert published_version(Plan.objects.get(), currency="EUR") is None
    assert export_catalog()["plans"] == []
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == ["plan.draft_saved", "plan.draft_saved"]


def test_the_same_draft_again_writes_nothing() -> None:
    save(fee())
    before = row_counts()
    save(fee())
    assert row_counts() == before


def test_publishing_a_draft_archives_what_was_on_sale() -> None:
    publish(fee("10"))
    draft = save(fee("12"))

    published = publish_draft(version_id=draft.pk, actor=ACTOR, now=LATER)

    assert (published.version, published.status, published.published_at) == (2, "published", LATER)
    assert standing() == [(1, "archived", "10"), (2, "published", "12")]
    event = AuditEvent.objects.get(action="plan.version_published")
    assert event.before["charges"][0]["amount"] == "10"
    assert (event.after["version"], event.after["charges"][0]["amount"]) == (2, "12")


def test_a_draft_that_says_what_is_on_sale_is_not_published() -> None:
    publish(fee("10"))
    draft = save(fee("10"))
    error = refused(lambda: publish_draft(version_id=draft.pk, actor=ACTOR, now=LATER))
    assert error.code == "nothing_changed"
    assert error.message == "version 2 says the same as version 1, which is on sale: change it first, or discard it"


def test_a_published_version_is_not_published_discarded_or_archived_twice() -> None:
    version = publish(fee())
    error = refused(lambda: publish_draft(version_id=version.pk, actor=ACTOR, now=LATER))
    assert (error.code, error.message) == ("not_a_draft", "version 1 is published, and never changes: save a new draft")
    error = refused(lambda: discard_draft(version_id=version.pk, actor=ACTOR, now=LATER))
    assert error.code == "not_a_draft"
    archive_version(version_id=version.pk, actor=ACTOR, now=LATER)
    error = refused(lambda: archive_version(version_id=version.pk, actor=ACTOR, now=LATER))
    assert (error.code, error.message) == ("not_published", "version 1 is archived already")


def test_an_archived_version_is_not_sold_any_more() -> None:
    version = publish(fee())
    assert archive_version(version_id=version.pk, actor=ACTOR, now=LATER).status == "archived"
    assert version_for(Plan.objects.get(), make_customer()) is None
    assert export_catalog()["plans"] == []
    event = AuditEvent.objects.get(action="plan.version_archived")
    assert (event.before, event.after) == ({"status": "published"}, {"version": 1, "status": "archived"})


def test_a_draft_is_not_archived() -> None:
    draft = save(fee())
    error = refused(lambda: archive_version(version_id=draft.pk, actor=ACTOR, now=LATER))
    assert error.message == "version 1 is a draft, which is not on sale: discard it instead"


def test_discarding_the_only_draft_takes_the_plan_back() -> None:
    draft = save(fee())
    discard_draft(version_id=draft.pk, actor=ACTOR, now=LATER)
    assert not Plan.objects.exists()
    assert AuditEvent.objects.get(action="plan.draft_discarded").before["charges"][0]["amount"] == "10"
    error = refused(lambda: discard_draft(version_id=draft.pk, actor=ACTOR, now=LATER))
    assert error.code == "not_a_draft"


def test_discarding_a_draft_leaves_what_is_on_sale() -> None:
    publish(fee("10"))
    discard_draft(version_id=save(fee("12")).pk, actor=ACTOR, now=LATER)
    assert standing() == [(1, "published", "10")]


def test_a_draft_outlives_a_publication_beside_it_under_the_next_number() -> None:
    publish(fee("10"))
    save(fee("15"))
    publish(fee("12"))
    assert standing() == [(1, "archived", "10"), (2, "published", "12"), (3, "draft", "15")]


def test_a_draft_that_is_published_by_its_contents_is_one_no_more() -> None:
    save(fee("15"))
    publish(fee("15"))
    assert standing() == [(1, "published", "15")]


def test_drafts_of_other_offers_stay_what_they_are() -> None:
    make_customer("acme", currency="USD")
    save(fee("10"))
    save(fee("12", currency="USD"))
    save(fee("8", currency="USD", customer="acme"))
    plan = Plan.objects.get()
    draft = draft_version(plan, currency="USD")
    assert draft is not None
    publish_draft(version_id=draft.pk, actor=ACTOR, now=LATER)
    assert standing() == [(1, "draft", "10"), (2, "published", "12"), (3, "draft", "8")]


def test_a_draft_does_not_rename_what_is_on_sale() -> None:
    save(fee(name="First"))
    save(fee(name="Second"))
    assert Plan.objects.get().name == "Second"
    publish(fee(name="Fee"))
    error = refused(lambda: save(fee("12", name="Other")))
    assert (error.member, error.message) == (
        "name",
        "the plan is called Fee in all its versions, and a draft does not rename it: write that",
    )
    assert Plan.objects.get().name == "Fee"


def test_a_new_name_alone_makes_no_version() -> None:
    publish(fee(name="Fee"))
    publish(fee(name="Platform"))
    assert Plan.objects.get().name == "Platform"
    assert standing() == [(1, "published", "10")]
    event = AuditEvent.objects.get(action="plan.renamed")
    assert (event.before, event.after) == ({"name": "Fee"}, {"version": 1, "name": "Platform"})


@pytest.mark.parametrize("write", [save, publish])
def test_a_code_belongs_to_one_kind_for_good(write: Callable[[PlanSpec], PlanVersion]) -> None:
    publish(fee())
    members = {"code": "fee", "currency": "EUR", "charges": [{"code": "f", "model": "flat", "amount": "1"}]}
    error = refused(lambda: write(read_plan(members, kind="add_on")))
    assert (error.code, error.member, error.message) == (
        "kind_differs",
        "code",
        "fee is the code of a plan: give the add-on another",
    )
    publish(read_plan(members | {"code": "extra"}, kind="add_on"))
    error = refused(lambda: write(read_plan(members | {"code": "extra"})))
    assert error.message == "extra is the code of an add-on: give the plan another"


@pytest.mark.parametrize("write", [save, publish])
def test_an_own_version_needs_its_customer_who_pays_in_its_currency(write: Callable[[PlanSpec], PlanVersion]) -> None:
    error = refused(lambda: write(fee(customer="acme")))
    assert error.member == "customer"
    assert error.message == "there is no customer acme: create it first, or take its own version of fee out"
    make_customer("acme", currency="USD")
    error = refused(lambda: write(fee(customer="acme")))
    assert (error.member, error.message) == ("currency", "customer acme pays in USD, and so must its own version: write USD")


def test_an_own_version_is_sold_before_the_public_one_and_does_not_rename_the_plan() -> None:
    acme, other = make_customer("acme"), make_customer("other")
    publish(fee("10"))
    publish(fee("8", customer="acme"))
    plan = Plan.objects.get()
    assert [version_for(plan, customer).version for customer in (acme, other)] == [2, 1]  # type: ignore[union-attr]
    assert AuditEvent.objects.get(action="plan.version_published").customer_id == acme.pk
    error = refused(lambda: publish(fee("7", customer="acme", name="Acme's")))
    assert error.message == "the plan is called Fee, and a customer's own version does not rename it: write that"


@pytest.mark.parametrize("write", [save, publish])
@pytest.mark.parametrize("price", [{"rate": "1"}, {"rate": "1", "fixed_amount": "0.1"}])
def test_a_percentage_is_charged_on_what_adds_up(write: Callable[[PlanSpec], PlanVersion], price: dict[str, str]) -> None:
    make_catalog(
        "meters:\n"
        "  - {code: paid, event_type: pay, aggregation: sum, value: n}\n"
        "  - {code: most, event_type: pay, aggregation: max, value: n}\n"
    )
    charges = [{"code": "share", "name": "Share", "meter": "most", "model": "percentage", **price}]
    error = refused(lambda: write(fee(charges=charges)))
    assert error.member == "charges.share.meter"
    assert error.message == (
        "charge share: percentage prices amounts that add up, and meter most has the aggregation max; "
        "name a meter with the aggregation sum, or use another model"
    )
    write(fee(charges=[charges[0] | {"meter": "paid"}]))
    assert Charge.objects.get().terms == {"model": "percentage", **price}


def test_a_draft_whose_meter_has_changed_since_is_not_published() -> None:
    meter = "meters: [{code: m, event_type: e, aggregation: sum, value: n, dimensions: [region]}]"
    make_catalog(meter)
    charge = {"code": "m", "meter": "m", "filter": {"region": "eu"}, "model": "per_unit", "unit_amount": "1"}
    draft = save(fee(charges=[charge]))
    make_catalog(meter.replace("region", "zone"))
    error = refused(lambda: publish_draft(version_id=draft.pk, actor=ACTOR, now=LATER))
    assert (error.member, error.message) == ("charges.m.filter.region", "charge m: meter m has no dimension region; it has zone")


def _told(work: Callable[[], object]) -> str:
    """What came of it, or the code of the refusal."""
    try:
        return str(work())
    except CatalogError as error:
        return error.code


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_about_one_draft_one_wins() -> None:
    draft = save(fee())

    told = in_threads(
        lambda: _told(lambda: publish_draft(version_id=draft.pk, actor=ACTOR, now=LATER).status),
        lambda: _told(lambda: discard_draft(version_id=draft.pk, actor=ACTOR, now=LATER)),
    )

    assert told in (["published", "not_a_draft"], ["not_a_draft", "None"])
    assert standing() == ([(1, "published", "10")] if "published" in told else [])


@pytest.mark.django_db(transaction=True)
def test_a_draft_is_published_once_by_two() -> None:
    draft = save(fee())

    told = in_threads(*[lambda: _told(lambda: publish_draft(version_id=draft.pk, actor=ACTOR, now=LATER).version)] * 2)

    assert set(told) == {"1", "not_a_draft"}
    assert standing() == [(1, "published", "10")]
    assert AuditEvent.objects.filter(action="plan.version_published").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_save_the_first_draft_write_one() -> None:
    in_threads(lambda: save(fee("10")), lambda: save(fee("12")))

    assert [(version, status) for version, status, _amount in standing()] == [(1, "draft")]
    assert Charge.objects.count() == 1
