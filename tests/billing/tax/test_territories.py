import pytest

from billing.tax.territories import place_of
from billing.tax.values import Place


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (("DE", "Bayern", "80331"), Place("DE", "bayern")),
        (("de",), Place("DE")),
        (("MC", "", "98000"), Place("FR")),
        (("IM", "Isle of Man"), Place("GB")),
        (("LI",), Place("CH")),
        (("GB", "Northern Ireland", "BT1 1AA"), Place("GB", "northern ireland")),
        (("ES", "", "35 001"), Place("ES", "Canary Islands", True)),
        (("ES", "Islas Canarias"), Place("ES", "Canary Islands", True)),
        (("ES", "", "28014"), Place("ES")),
        (("ES", "", "51001"), Place("ES", "Ceuta", True)),
        (("ES", "Melilla"), Place("ES", "Melilla", True)),
        (("DE", "", "78266"), Place("DE", "Büsingen", True)),
        (("DE", "", "27498"), Place("DE", "Heligoland", True)),
        (("IT", "", "23041"), Place("IT", "Livigno", True)),
        (("GR", "", "630 86"), Place("GR", "Mount Athos", True)),
        (("FI", "", "AX-22100"), Place("FI", "Åland", True)),
        (("FI", "", "22100"), Place("FI", "Åland", True)),
        (("AX", "", "22100"), Place("FI", "Åland", True)),
        (("FR", "", "97110"), Place("FR", "Guadeloupe", True)),
        (("RE",), Place("FR", "Réunion", True)),
        (("PT", "", "9000-100"), Place("PT", "Madeira")),
        (("PT", "", "9500-001"), Place("PT", "Azores")),
        (("AT", "", "6991"), Place("AT", "Mittelberg")),
        (("US", "california"), Place("US", "CA")),
        (("US", "US-NY"), Place("US", "NY")),
        (("US", "New  York"), Place("US", "NY")),
        (("US", "Elsewhere"), Place("US", "elsewhere")),
        (("CA", "Québec"), Place("CA", "QC")),
        (("", "Bayern"), Place("", "bayern")),
    ],
)
def test_address_is_a_place(address: tuple[str, ...], place: Place) -> None:
    assert place_of(*address) == place


def test_name_of_a_place_is_that_place_again() -> None:
    for place in (Place("ES", "Canary Islands", True), Place("US", "CA"), Place("PT", "Azores"), Place("FR", "Réunion", True)):
        assert place_of(place.country, place.region) == place


@pytest.mark.parametrize(
    ("place", "is_in_eu"),
    [
        (Place("DE"), True),
        (Place("PT", "Madeira"), True),
        (Place("ES", "Ceuta", True), False),
        (Place("GB"), False),
        (Place(""), False),
    ],
)
def test_parts_apart_are_not_in_the_union(place: Place, is_in_eu: bool) -> None:
    assert place.is_in_eu is is_in_eu
