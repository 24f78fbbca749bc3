"""The charge models, a file each, and the one registry of them."""

from decimal import Decimal
from typing import Final

from billing.pricing.charge_models.flat import Flat
from billing.pricing.charge_models.graduated import Graduated
from billing.pricing.charge_models.graduated_percentage import GraduatedPercentage
from billing.pricing.charge_models.model import ChargeModel
from billing.pricing.charge_models.package import Package
from billing.pricing.charge_models.per_unit import PerUnit
from billing.pricing.charge_models.percentage import Percentage
from billing.pricing.charge_models.stairstep import Stairstep
from billing.pricing.charge_models.volume import Volume

# Every model that a charge may name, by that name.
MODELS: Final[dict[str, type[ChargeModel[Decimal]]]] = {
    model.name: model
    for model in (
        Flat[Decimal],
        PerUnit[Decimal],
        Graduated[Decimal],
        Volume[Decimal],
        Package[Decimal],
        Stairstep[Decimal],
        Percentage[Decimal],
        GraduatedPercentage[Decimal],
    )
}
