from datetime import date
from decimal import Decimal

import pytest

from billing.tax.errors import TaxUnknown
from billing.tax.rates import EnteredRate, Rate, rate_of
from billing.tax.values import EU_COUNTRIES, Place

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("country", "day", "percent"),
    [
        ("DE", date(2020, 6, 30), "19"),
        ("DE", date(2020, 7, 1), "16"),
        ("DE", date(2020, 12, 31), "16"),
        ("DE", date(2021, 1, 1), "19"),
        ("IE", date(2020, 8, 31), "23"),
        ("IE", date(2020, 9, 1), "21"),
        ("IE", date(2021, 3, 1), "23"),
        ("LU", date(2022, 12, 31), "17"),
        ("LU", date(2023, 1, 1), "16"),
        ("LU", date(2024, 1, 1), "17"),
        ("EE", date(2023, 12, 31), "20"),
        ("EE", date(2024, 1, 1), "22"),
        ("EE", date(2025, 7, 1), "24"),
        ("FI", date(2024, 8, 31), "24"),
        ("FI", date(2024, 9, 1), "25.5"),
        ("SK", date(2024, 12, 31), "20"),
        ("SK", date(2025, 1, 1), "23"),
        ("RO", date(2025, 7, 31), "19"),
        ("RO", date(2025, 8, 1), "21"),
        ("CH", date(2023, 12, 31), "7.7"),
        ("CH", date(2024, 1, 1), "8.1"),
        ("GB", TODAY, "20"),
        ("NO", TODAY, "25"),
    ],
)
def test_standard_rate_changes_on_its_day(country: str, day: date, percent: str) -> None:
    assert rate_of(Place(country), "standard", day) == Rate(Decimal(percent))


def test_every_member_state_has_a_standard_rate_by_the_directive() -> None:
    # Article 97: not below 15 %. Hungary has the highest.
    rates = {country: rate_of(Place(country), "standard", TODAY).percent for country in sorted(EU_COUNTRIES)}
    assert len(rates) == 27
    assert min(rates.values()) == 17
    assert max(rates.values()) == 27


def test_region_has_its_own_rate_and_else_its_countrys() -> None:
    assert rate_of(Place("PT", "Azores"), "standard", date(2021, 6, 30)).percent == 18
    assert rate_of(Place("PT", "Azores"), "standard", date(2021, 7, 1)).percent == 16
    assert rate_of(Place("PT", "Madeira"), "standard", TODAY).percent == 22
    assert rate_of(Place("DE", "bayern"), "standard", TODAY).percent == 19


def test_reduced_rate_is_known_where_there_is_but_one() -> None:
    assert rate_of(Place("DE"), "reduced", TODAY).percent == 7
    with pytest.raises(TaxUnknown):
        rate_of(Place("FR"), "reduced", TODAY)


def test_zero_class_is_zero_everywhere_unless_entered() -> None:
    assert rate_of(Place("XX"), "zero", TODAY).percent == 0


@pytest.mark.parametrize(
    ("place", "tax_class", "day"),
    [
        (Place("DE"), "standard", date(2019, 12, 31)),
        (Place("DE"), "ebook", TODAY),
        (Place("US", "CA"), "standard", TODAY),
        (Place("ES", "Canary Islands", True), "standard", TODAY),
    ],
)
def test_unknown_rate_is_refused_and_never_zero(place: Place, tax_class: str, day: date) -> None:
    with pytest.raises(TaxUnknown) as refused:
        rate_of(place, tax_class, day)
    assert refused.value.code == "rate_missing"


def test_refusal_says_which_rate_to_enter_where() -> None:
    with pytest.raises(TaxUnknown) as refused:
        rate_of(Place("US", "CA"), "standard", TODAY)
    assert str(refused.value) == (
        "There is no tax rate for US, CA, class standard, on 2026-03-01: enter it under Settings, Tax rates, "
        "with the country US and the class standard."
    )


def entered(
    place: Place, percent: str, *, first: date = date(2026, 1, 1), until: date | None = None, label: str = ""
) -> EnteredRate:
    return EnteredRate(place=place, tax_class="standard", rate=Decimal(percent), label=label, valid_from=first, valid_until=until)


def test_entered_rate_goes_before_the_known_one_while_it_holds() -> None:
    rates = [entered(Place("DE"), "20", first=date(2026, 2, 1), until=date(2026, 3, 1), label="Tax")]
    percents = [
        rate_of(Place("DE"), "standard", day, rates).percent for day in (date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1))
    ]
    assert percents == [19, 20, 19]
    assert rate_of(Place("DE"), "standard", date(2026, 2, 1), rates).label == "Tax"


def test_entered_rate_that_began_last_holds_where_two_overlap() -> None:
    rates = [entered(Place("US", "CA"), "8", first=date(2026, 2, 1)), entered(Place("US", "CA"), "7.25")]
    assert rate_of(Place("US", "CA"), "standard", TODAY, rates).percent == 8


def test_region_goes_before_its_country() -> None:
    rates = [entered(Place("CA"), "5"), entered(Place("CA", "ON"), "13")]
    assert rate_of(Place("CA", "ON"), "standard", TODAY, rates).percent == 13
    assert rate_of(Place("CA", "AB"), "standard", TODAY, rates).percent == 5


def test_part_apart_has_no_rate_of_its_country() -> None:
    rates = [entered(Place("ES"), "21"), entered(Place("ES", "Canary Islands", True), "7", label="IGIC")]
    assert rate_of(Place("ES", "Canary Islands", True), "standard", TODAY, rates) == Rate(Decimal(7), "IGIC")
    with pytest.raises(TaxUnknown):
        rate_of(Place("ES", "Ceuta", True), "standard", TODAY, rates)
