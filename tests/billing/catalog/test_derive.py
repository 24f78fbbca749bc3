"""A customer's own version begins as a draft that says what the public one says, but for what was agreed."""

from typing import Any

import pytest

from billing.catalog.derive import derive_version
from billing.catalog.document import read_plan
from billing.catalog.drafts import archive_version, publish_draft, save_draft
from billing.catalog.errors import CatalogError
from billing.catalog.plans import publish_plan, version_for
from billing.catalog.specs import plan_spec
from billing.models import PlanVersion
from customers.models import AuditEvent, Customer
from tests.billing.builders import ACTOR, CALLS, NOW, at, make_catalog, make_customer, row_counts

pytestmark = pytest.mark.django_db
LATER = at("2026-02-01")


def derive(version: PlanVersion, customer: Customer, **changes: Any) -> PlanVersion:
    return derive_version(version_id=version.pk, customer=customer, changes=changes, actor=ACTOR, now=LATER)


def public() -> PlanVersion:
    make_catalog(CALLS)
    return PlanVersion.objects.get()


def test_what_is_not_changed_stays() -> None:
    acme, base = make_customer("acme"), public()

    own = derive(
        base,
        acme,
        minimum_commitment="600",
        charges=[
            {"code": "fee", "name": "Platform fee", "model": "flat", "amount": "8"},
            {"code": "seats", "name": "Seats", "model": "per_unit", "unit_amount": "5", "default_quantity": 3},
        ],
    )

    assert (own.version, own.status, own.customer, own.currency, own.derived_from) == (2, "draft", acme, "EUR", base)
    members = plan_spec(own).members()
    assert members == {
        "code": "basic",
        "name": "Basic",
        "currency": "EUR",
        "customer": "acme",
        "interval": "monthly",
        "anchor": "calendar",
        "charges": [
            {"code": "fee", "name": "Platform fee", "model": "flat", "amount": "8"},
            {
                "code": "calls",
                "name": "Calls",
                "meter": "calls",
                "model": "graduated",
                "tiers": [{"up_to": "100", "unit_amount": "0"}, {"up_to": None, "unit_amount": "0.01"}],
            },
            {"code": "seats", "name": "Seats", "model": "per_unit", "unit_amount": "5", "default_quantity": "3"},
        ],
        "minimum_commitment": "600",
    }
    event = AuditEvent.objects.get(action="plan.version_derived")
    assert (event.customer_id, event.before, event.after) == (acme.pk, {"version": 1}, {"version": 2, **members})
    assert version_for(base.plan, acme) == base  # until the draft is published


def test_null_is_the_default_again() -> None:
    acme = make_customer("acme")
    spec = read_plan({**plan_spec(public()).members(), "trial_days": 14, "minimum_commitment": "50"})
    base = publish_plan(spec=spec, actor=ACTOR, now=NOW)
    own = derive(base, acme, minimum_commitment=None, charges=None)
    assert (own.trial_days, own.minimum_commitment) == (14, None)
    assert len(plan_spec(own).charges) == 2


def test_where_it_came_from_is_known_through_drafts_and_versions() -> None:
    acme, base = make_customer("acme"), public()
    own = derive(base, acme, trial_days=30)
    spec = plan_spec(own)
    save_draft(spec=read_plan({**spec.members(), "trial_days": 60}), actor=ACTOR, now=LATER)
    first = publish_draft(version_id=own.pk, actor=ACTOR, now=LATER)
    second = publish_plan(spec=read_plan({**spec.members(), "trial_days": 90}), actor=ACTOR, now=LATER)
    assert [(version.version, version.trial_days, version.derived_from) for version in (first, second)] == [
        (2, 60, base),
        (3, 90, base),
    ]
    assert version_for(base.plan, acme) == second


def test_it_can_be_derived_from_what_is_not_sold_any_more() -> None:
    acme, base = make_customer("acme"), public()
    archive_version(version_id=base.pk, actor=ACTOR, now=LATER)
    assert derive(base, acme).derived_from == base


@pytest.mark.parametrize(
    ("changes", "member", "says"),
    [
        ({"currency": "USD"}, "currency", "stays what it is in the version that this one is derived from: leave it out"),
        ({"code": "other"}, "code", "leave it out"),
        ({"name": "Other"}, "name", "leave it out"),
        ({"customer": "other"}, "customer", "leave it out"),
        ({"kind": "add_on"}, "kind", "leave it out"),
        ({"trial": 5}, "trial", "unknown member"),
        ({"trial_days": "many"}, "trial_days", "write a whole number from 0 to 730"),
        ({"charges": "none"}, "charges", "write a list here"),
        ({"charges": ["fee"]}, "charges[2]", "write an object"),
        ({"charges": [{"code": "calls", "meter": "calls", "model": "flat"}]}, "charges.calls.amount", "is missing"),
        ({"charges": [{"code": "new", "model": "flat"}]}, "charges.new.amount", "is missing"),
        (
            {"charges": [{"code": "calls", "meter": "none", "model": "flat", "amount": "1"}]},
            "charges.calls.meter",
            "there is no meter none",
        ),
    ],
)
def test_a_change_that_cannot_be_names_the_member_and_writes_nothing(changes: dict[str, Any], member: str, says: str) -> None:
    acme, base = make_customer("acme"), public()
    before = row_counts()
    with pytest.raises(CatalogError) as caught:
        derive_version(version_id=base.pk, customer=acme, changes=changes, actor=ACTOR, now=LATER)
    assert caught.value.member == member
    assert says in caught.value.message
    assert row_counts() == before


def test_only_for_a_customer_of_the_currency_and_from_a_public_version() -> None:
    acme, base = make_customer("acme"), public()
    dollars = make_customer("dollars", currency="USD")
    own = derive(base, acme)
    draft = save_draft(spec=read_plan({**plan_spec(base).members(), "trial_days": 1}), actor=ACTOR, now=NOW)
    before = row_counts()
    for version, customer, code, says in (
        (base, dollars, "", "customer dollars pays in USD: derive from a version in USD"),
        (base, acme, "draft_exists", "customer acme has a draft of its own already, version 2: change, publish or discard that"),
        (own, acme, "not_public", "version 2 is not one for everybody that is or was on sale: derive from such a one"),
        (draft, acme, "not_public", "version 3 is not one for everybody"),
    ):
        with pytest.raises(CatalogError) as caught:
            derive(version, customer)
        assert caught.value.code == code
        assert caught.value.message.startswith(says)
    assert row_counts() == before
