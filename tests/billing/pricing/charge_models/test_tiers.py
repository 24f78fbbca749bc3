from decimal import Decimal

import pytest

from billing.pricing.charge_models.tiers import Tier, tier_words


def test_every_tier_needs_its_words() -> None:
    tier = Tier(up_to=None, unit_amount=Decimal(1), flat_amount=Decimal(0), rate=Decimal(0))
    assert tier_words([tier], ["1 each"], str) == ["any quantity: 1 each"]
    with pytest.raises(ValueError, match="shorter than"):
        tier_words([tier], [], str)
