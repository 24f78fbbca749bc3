from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BillingEntity, TaxRate, TaxRegistration
from billing.tax.entering import TaxEntryError, save_tax_rate, save_tax_registration
from customers.models import AuditEvent
from tests.billing.builders import ACTOR, NOW

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 1)
RATE: dict[str, Any] = {"country": "us", "region": "California", "rate_pct": "7.25", "valid_from": FIRST}
OF_CLASSES = "Write small letters, digits, - and _ only: standard, reduced, or a class of your own."
REGISTRATION: dict[str, Any] = {"country": "FR", "tax_id": "FR 61 954 506 077", "valid_from": FIRST}


def enter(**changes: Any) -> TaxRate:
    return save_tax_rate(facts=RATE | changes, actor=ACTOR, now=NOW)


def register(entity: BillingEntity, **changes: Any) -> TaxRegistration:
    return save_tax_registration(entity=entity, facts=REGISTRATION | changes, actor=ACTOR, now=NOW)


@pytest.fixture
def entity() -> BillingEntity:
    return BillingEntity.objects.create(code="main", name="Main", legal_name="Main GmbH", country="DE")


def test_rate_is_kept_as_places_are_written_and_recorded() -> None:
    rate = TaxRate.objects.get(pk=enter().pk)
    assert (rate.country, rate.region, rate.tax_class, rate.rate_pct, rate.label) == ("US", "CA", "standard", Decimal("7.25"), "")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_type, event.object_id) == ("tax_rate.created", "tax_rate", "US CA standard 7.25 %")
    assert event.after == {
        "country": "US",
        "region": "CA",
        "tax_class": "standard",
        "rate_pct": "7.25",
        "label": "",
        "valid_from": "2026-01-01",
        "valid_until": None,
    }


def test_change_records_what_changed_and_nothing_records_nothing() -> None:
    rate = enter()
    for _again in range(2):
        save_tax_rate(facts={"valid_until": date(2026, 7, 1)}, actor=ACTOR, now=NOW, rate_id=rate.pk)
    event = AuditEvent.objects.get(action="tax_rate.updated")
    assert (event.before, event.after) == ({"valid_until": None}, {"valid_until": "2026-07-01"})


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"country": ""}, "country", "Write the two letters of ISO 3166, such as DE or US."),
        ({"country": "XX"}, "country", "Write the two letters of ISO 3166, such as DE or US."),
        ({"country": "LI"}, "country", "For tax this belongs to CH: enter it there, with the region – if it has one."),
        ({"country": "AX"}, "country", "For tax this belongs to FI: enter it there, with the region Åland if it has one."),
        ({"rate_pct": "101"}, "rate_pct", "Write a percentage from 0 to 100."),
        ({"rate_pct": "7.12345"}, "rate_pct", "Write at most 4 decimals."),
        ({"rate_pct": None}, "rate_pct", "Write a percentage, such as 7.25; 0 where nothing is due."),
        (
            {"tax_class": "E Book"},
            "tax_class",
            OF_CLASSES,
        ),
        ({"tax_class": "exempt"}, "tax_class", "What is exempt has no rate: charges with this class bear none."),
        ({"label": "x" * 33}, "label", "Write at most 32 characters, on one line."),
        ({"valid_from": None}, "valid_from", "Write the first day on which it holds."),
        (
            {"valid_until": FIRST},
            "valid_until",
            "It is the first day without it, so write one after the first day; or leave it empty.",
        ),
    ],
)
def test_rate_that_cannot_be_is_refused_at_its_field(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(TaxEntryError) as refused:
        enter(**changes)
    assert refused.value.errors == {field: words}
    assert not TaxRate.objects.exists()
    assert not AuditEvent.objects.exists()


def test_second_rate_from_the_same_day_is_refused() -> None:
    enter()
    with pytest.raises(TaxEntryError) as refused:
        enter(region="CA", rate_pct="8")
    assert refused.value.errors == {
        "valid_from": "There is a rate of this place and class from that day already: change that one."
    }
    assert [rate.rate_pct for rate in TaxRate.objects.all()] == [Decimal("7.25")]
    assert AuditEvent.objects.count() == 1


def test_registration_is_kept_and_recorded(entity: BillingEntity) -> None:
    found = register(entity)
    assert (found.billing_entity, found.country, found.tax_id) == (entity, "FR", "FR 61 954 506 077")
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id) == ("tax_registration.created", "main FR  FR 61 954 506 077")
    assert event.after["billing_entity"] == "main"
    save_tax_registration(entity=entity, facts={"valid_until": date(2026, 5, 1)}, actor=ACTOR, now=NOW, registration_id=found.pk)
    event = AuditEvent.objects.get(action="tax_registration.updated")
    assert (event.before, event.after) == ({"valid_until": None}, {"valid_until": "2026-05-01"})


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"tax_id": "FR61954506078"}, "tax_id", "The check digits of FR61954506078 do not match: look for a typing mistake."),
        (
            {"country": "US", "tax_id": ""},
            "region",
            "There the states tax, each by itself: name one, and enter the others beside it.",
        ),
        (
            {"country": "GB", "tax_id": "", "is_one_stop_shop": True},
            "country",
            "The one-stop shop is the EU's: name the member state in which the seller has entered it.",
        ),
        ({"region": "Corse", "is_one_stop_shop": True}, "region", "The one-stop shop is for all of the EU: leave this empty."),
        ({"country": "MC"}, "country", "For tax this belongs to FR: enter it there, with the region – if it has one."),
    ],
)
def test_registration_that_cannot_be_is_refused_at_its_field(
    entity: BillingEntity, changes: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(TaxEntryError) as refused:
        register(entity, **changes)
    assert refused.value.errors == {field: words}
    assert not TaxRegistration.objects.exists()
    assert not AuditEvent.objects.exists()


def test_registration_of_a_place_from_a_day_is_there_once(entity: BillingEntity) -> None:
    register(entity)
    with pytest.raises(TaxEntryError, match="There is a registration of this place from that day already"):
        register(entity)
    assert TaxRegistration.objects.count() == 1
