"""The terms of a plan version, read once: what each charge costs and which usage it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from billing.models import Charge as ChargeRow
from billing.models import PlanVersion
from billing.pricing.charge import Charge, parse_charge
from squill.lib.currency import exponent
from usage.models import Meter

# The line that lifts a period to its minimum commitment bears this code; charge codes of a catalogue cannot have the colon first.
COMMITMENT_CODE = ":minimum-commitment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeTerms:
    """One charge, ready to price."""

    id: int
    code: str
    name: str
    price: Charge
    meter: Meter | None
    filter: Mapping[str, str]
    in_advance: bool
    default_quantity: Decimal | None  # of a fee by quantity; None: a flat fee, or usage


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTerms:
    """All that a period of this version is priced by."""

    version_id: int
    plan_name: str
    currency: str
    charges: tuple[ChargeTerms, ...]
    minimum_commitment: Decimal | None  # major units a full period

    @property
    def exponent(self) -> int:
        """Decimals of the currency's smallest unit."""
        return exponent(self.currency)


@dataclass(slots=True)
class TermsBook:
    """
    The terms of versions that were looked up once. A published version never changes (I8), so a run may keep a book for
    as long as it lasts; a draft version must not be looked up in one that is kept.
    """

    _known: dict[int, VersionTerms] = field(default_factory=dict)

    def of(self, version_id: int) -> VersionTerms:
        """Return the terms of a version. Two queries the first time, none afterwards."""
        if version_id not in self._known:
            self._known[version_id] = load_terms(version_id)
        return self._known[version_id]


def load_terms(version_id: int) -> VersionTerms:
    """
    Read a version's terms. Two queries.

    :raises PlanVersion.DoesNotExist: if there is none
    :raises billing.pricing.charge.ChargeError: if a charge in the database cannot be read
    """
    version = PlanVersion.objects.select_related("plan").get(pk=version_id)
    rows = ChargeRow.objects.filter(plan_version=version).select_related("meter").order_by("position")
    return VersionTerms(
        version_id=version.pk,
        plan_name=version.plan.name,
        currency=version.currency,
        charges=tuple(
            ChargeTerms(
                id=row.pk,
                code=row.code,
                name=row.name,
                price=parse_charge(row.terms),
                meter=row.meter,
                filter=dict(row.filter),
                in_advance=row.billed == ChargeRow.Billed.IN_ADVANCE,
                default_quantity=row.default_quantity,
            )
            for row in rows
        ),
        minimum_commitment=version.minimum_commitment,
    )
