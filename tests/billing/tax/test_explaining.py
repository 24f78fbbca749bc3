from decimal import Decimal

import pytest

from billing.tax.explaining import why
from billing.tax.values import Decision, Place, Treatment


@pytest.mark.parametrize("treatment", Treatment)
def test_every_treatment_has_its_reason(treatment: Treatment) -> None:
    assert why(Decision(treatment=treatment, place=Place("DE"), rate=Decimal(0))).endswith((".", "."))


def test_reason_names_the_place() -> None:
    domestic = Decision(treatment=Treatment.DOMESTIC, place=Place("US", "CA"), rate=None)
    assert why(domestic) == "Seller and customer are taxed in US (CA), at its rate."
