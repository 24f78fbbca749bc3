"""Which month of which seller is meant."""

import pytest

from billing.accounting.period import NotExported, month_of
from billing.models import BillingEntity

pytestmark = pytest.mark.django_db


def make_entity(code: str, **fields: object) -> BillingEntity:
    return BillingEntity.objects.create(code=code, name=code, legal_name=code, **fields)


def test_a_month_is_its_days() -> None:
    entity = make_entity("acme")
    december = month_of("2026-12")
    assert (december.entity, december.name) == (entity, "acme-2026-12")
    assert (december.first_day.isoformat(), december.end_day.isoformat()) == ("2026-12-01", "2027-01-01")
    assert month_of("2026-01", entity_code="acme").end_day.isoformat() == "2026-02-01"


@pytest.mark.parametrize("text", ["", "2026", "2026-3", "2026-13", "2026-00", "1999-01", "2026-03-01", "2026-03\n"])
def test_what_is_no_month_is_refused(text: str) -> None:
    make_entity("acme")
    with pytest.raises(NotExported) as caught:
        month_of(text)
    assert caught.value.code == "month_unreadable"


def test_of_several_sellers_one_must_be_named() -> None:
    with pytest.raises(NotExported) as caught:
        month_of("2026-03")
    assert caught.value.code == "entity_missing"
    make_entity("acme")
    make_entity("other")
    with pytest.raises(NotExported) as caught:
        month_of("2026-03")
    assert (caught.value.code, str(caught.value)) == ("entity_missing", "Say which billing entity: acme, other.")
    with pytest.raises(NotExported) as caught:
        month_of("2026-03", entity_code="third")
    assert caught.value.code == "entity_not_found"
