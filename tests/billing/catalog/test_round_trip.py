"""Whatever a catalogue says, its export says the same: applied elsewhere it makes the same, applied here it changes nothing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import yaml
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.catalog.apply import apply_catalog
from billing.catalog.compare import compare_specs, member_changes
from billing.catalog.document import PlanSpec, read_catalog, read_plan
from billing.catalog.specs import export_catalog
from customers.services import create_customer
from tests.billing.builders import ACTOR, NOW, row_counts
from tests.billing.pricing import strategies
from usage.models import Meter

METERS = [
    {"code": "calls", "name": "Calls", "event_type": "call", "aggregation": "count", "dimensions": ["region"]},
    {"code": "paid", "name": "Paid", "event_type": "payment", "aggregation": "sum", "value": "amount", "dimensions": ["region"]},
]
CUSTOMERS = {"acme": "EUR", "b/2 & co": "USD", "007": "EUR"}
OFFERS = [("EUR", None), ("USD", None), ("JPY", None), *((currency, customer) for customer, currency in CUSTOMERS.items())]
NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12).filter(str.isprintable)
ADVANCE = strategies.optional(billed=st.sampled_from(["in_advance", "in_arrears"]))
TAXES = strategies.optional(
    tax_class=st.sampled_from(["standard", "reduced", "exempt", "e-book"]), tax_rate=st.decimals(0, 100, places=4).map(str)
)
FILTERS = st.sampled_from([{}, {"region": "eu"}, {"region": "on"}, {"region": "01"}])
SEAT_MODELS = strategies.QUANTITY_MODELS.filter(
    lambda price: price["model"] not in ("flat", "percentage", "graduated_percentage")
)
QUANTITIES = st.decimals(0, 10**6, places=6).map(str)


@st.composite
def fees(draw: st.DrawFn) -> dict[str, Any]:
    """A flat fee, or one by quantity."""
    if draw(st.booleans()):
        return {**draw(strategies.charges(strategies.FLAT_MODELS)), **draw(ADVANCE)}
    return {**draw(strategies.charges(strategies.UNIT_MODELS)), **draw(ADVANCE), "default_quantity": draw(QUANTITIES)}


@st.composite
def usage_charges(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Prices on meters that do not compete."""
    taken = draw(st.lists(st.tuples(st.sampled_from(["calls", "paid"]), FILTERS), max_size=3, unique_by=str))
    models = {"calls": st.one_of(strategies.FLAT_MODELS, strategies.UNIT_MODELS)}
    models["paid"] = st.one_of(strategies.QUANTITY_MODELS, strategies.EVENT_MODELS)
    return [
        {"meter": meter, **({"filter": filters} if filters else {}), **draw(strategies.charges(models[meter]))}
        for meter, filters in taken
    ]


@st.composite
def charge_lists(draw: st.DrawFn, *, is_add_on: bool) -> list[dict[str, Any]]:
    made = draw(st.lists(fees(), min_size=1, max_size=2)) + ([] if is_add_on else draw(usage_charges()))
    codes = draw(st.permutations([f"c{index}" for index in range(len(made))]))
    return [{"code": code, "name": draw(NAMES), **charge, **draw(TAXES)} for code, charge in zip(codes, made, strict=True)]


@st.composite
def entries(draw: st.DrawFn, *, code: str, name: str, is_add_on: bool, offer: tuple[str, str | None]) -> dict[str, Any]:
    currency, customer = offer
    entry: dict[str, Any] = {"code": code, "name": name, "currency": currency, "customer": customer}
    entry["charges"] = draw(charge_lists(is_add_on=is_add_on))
    if is_add_on:
        interval = draw(st.sampled_from(["once", "weekly", "monthly"]))
        return entry | {"interval": interval, "interval_count": 1 if interval == "once" else draw(st.integers(1, 100))}
    entry |= {"interval": draw(st.sampled_from(["weekly", "monthly", "quarterly", "yearly"]))}
    entry |= {"anchor": draw(st.sampled_from(["calendar", "anniversary"])), "interval_count": draw(st.integers(1, 100))}
    if entry["interval"] != "weekly" and entry["anchor"] == "calendar":
        entry |= draw(strategies.optional(billing_day=st.integers(1, 31)))
    commitments = st.decimals(1, 10**6, places=3).map(str)
    return entry | draw(strategies.optional(trial_days=st.integers(0, 730), minimum_commitment=commitments))


@st.composite
def catalogues(draw: st.DrawFn) -> dict[str, Any]:
    document: dict[str, Any] = {"meters": METERS, "plans": [], "add_ons": []}
    for code in draw(st.lists(st.sampled_from(["a", "b-1", "C"]), min_size=1, max_size=2, unique=True)):
        name, is_add_on = draw(NAMES), draw(st.booleans())
        for offer in draw(st.lists(st.sampled_from(OFFERS), min_size=1, max_size=3, unique=True)):
            entry = draw(entries(code=code, name=name, is_add_on=is_add_on, offer=offer))
            document["add_ons" if is_add_on else "plans"].append(entry)
    return document


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        for external_id, currency in CUSTOMERS.items():
            create_customer(external_id=external_id, name="C", email="c@c.example", currency=currency, actor=ACTOR, now=NOW)
        yield
        transaction.set_rollback(True)


def _applied(text: str) -> set[str]:
    return {change.kind for change in apply_catalog(spec=read_catalog(text), actor=ACTOR, now=NOW)}


@pytest.mark.django_db
@settings(max_examples=25, deadline=None)
@given(document=catalogues(), as_json=st.booleans())
def test_an_export_says_what_was_applied_and_changes_nothing(document: dict[str, Any], as_json: bool) -> None:
    wanted = read_catalog(json.dumps(document))
    with undone():
        assert _applied(json.dumps(document)) == {"created"}

        exported = export_catalog()
        text = json.dumps(exported) if as_json else yaml.safe_dump(exported, sort_keys=False, allow_unicode=True, width=120)
        read = read_catalog(text)

        assert read.meters == wanted.meters
        assert sorted(read.plans, key=_offer) == sorted(wanted.plans, key=_offer)
        before = row_counts()
        assert _applied(text) == {"unchanged"}
        assert row_counts() == before
        assert Meter.objects.count() == 2


def _offer(spec: PlanSpec) -> tuple[str, str, str]:
    return spec.offer


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_differs_is_said_and_what_does_not_is_not(data: st.DataObject) -> None:
    one, other = (
        read_plan(data.draw(entries(code="a", name="A", is_add_on=False, offer=("EUR", None)))) for _version in range(2)
    )
    for before, after in ((one, other), (other, one), (one, one)):
        assert bool(compare_specs(before, after)) == (before != after)
        assert bool(list(member_changes(before.members(), after.members()))) == (before != after)
