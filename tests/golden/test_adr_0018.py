"""The worked example of ADR 0018: which version a new subscription gets, by currency and customer, and what differs."""

import pytest

from billing.catalog.apply import apply_catalog
from billing.catalog.compare import compare_versions
from billing.catalog.derive import derive_version
from billing.catalog.document import read_catalog, read_plan
from billing.catalog.drafts import archive_version, publish_draft, save_draft
from billing.catalog.plans import version_for
from billing.catalog.specs import export_catalog
from billing.models import Plan, PlanVersion
from customers.models import Customer
from customers.services import create_customer
from tests.golden.books import ACTOR, day

pytestmark = pytest.mark.django_db

SCALE = """
plans:
  - {code: scale, name: Scale, currency: EUR, charges: [{code: platform, name: Platform fee, model: flat, amount: "499"}]}
  - {code: scale, name: Scale, currency: USD, charges: [{code: platform, name: Platform fee, model: flat, amount: "549"}]}
add_ons:
  - {code: setup, name: Setup, currency: EUR, interval: once, charges: [{code: setup, name: Setup, model: flat, amount: "900"}]}
"""


def _customer(external_id: str, currency: str) -> Customer:
    return create_customer(
        external_id=external_id, name=external_id, email="a@b.example", currency=currency, actor=ACTOR, now=day(1, 1)
    )


def _sold_to(*customers: Customer) -> list[int]:
    versions = (version_for(Plan.objects.get(code="scale"), customer) for customer in customers)
    return [version.version if version else 0 for version in versions]


def _version(number: int) -> PlanVersion:
    return PlanVersion.objects.get(plan__code="scale", version=number)


def test_who_gets_which_version() -> None:
    apply_catalog(spec=read_catalog(SCALE), actor=ACTOR, now=day(1, 1))
    acme, other, dollars = _customer("acme", "EUR"), _customer("other", "EUR"), _customer("dollars", "USD")
    assert _sold_to(acme, other, dollars) == [1, 1, 2]

    agreed = [
        {"code": "platform", "name": "Platform fee", "model": "flat", "amount": "449"},
        {"code": "seats", "name": "Seats", "model": "per_unit", "unit_amount": "5", "default_quantity": "10"},
    ]
    own = derive_version(version_id=_version(1).pk, customer=acme, changes={"charges": agreed}, actor=ACTOR, now=day(1, 2))
    assert _sold_to(acme, other, dollars) == [1, 1, 2]
    publish_draft(version_id=own.pk, actor=ACTOR, now=day(1, 3))
    assert (own.version, own.derived_from) == (3, _version(1))
    assert _sold_to(acme, other, dollars) == [3, 1, 2]

    dearer = {"code": "platform", "name": "Platform fee", "model": "flat", "amount": "529"}
    members = {"code": "scale", "name": "Scale", "currency": "EUR", "trial_days": 14, "charges": [dearer]}
    draft = save_draft(spec=read_plan(members), actor=ACTOR, now=day(1, 4))
    assert draft.version == 4
    assert compare_versions(_version(1), draft) == ["trial: none → 14 days", "Platform fee: 499 → 529"]
    assert _sold_to(acme, other, dollars) == [3, 1, 2]

    publish_draft(version_id=draft.pk, actor=ACTOR, now=day(1, 5))
    assert _sold_to(acme, other, dollars) == [3, 4, 2]
    assert _version(1).status == "archived"

    archive_version(version_id=_version(3).pk, actor=ACTOR, now=day(1, 6))
    assert _sold_to(acme, other, dollars) == [4, 4, 2]


def test_the_file_says_every_offer_and_the_add_ons() -> None:
    apply_catalog(spec=read_catalog(SCALE), actor=ACTOR, now=day(1, 1))
    exported = export_catalog()
    assert [(plan["code"], plan["currency"]) for plan in exported["plans"]] == [("scale", "EUR"), ("scale", "USD")]
    assert [(add_on["code"], add_on["interval"]) for add_on in exported["add_ons"]] == [("setup", "once")]
