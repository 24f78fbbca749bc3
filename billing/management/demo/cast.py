"""Who plays in the demo (cast.yaml)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

# What a customer does with an invoice: pay soon, pay late, or not at all from the fifth month on.
PayingHabit = Literal["prompt", "slow", "stopped"]
_FIELDS = (
    "external_id",
    "name",
    "legal_name",
    "address_line1",
    "postal_code",
    "city",
    "country",
    "timezone",
    "locale",
    "currency",
    "tax_id",
    "payment_terms_days",
    "purchase_order",
    "subject_keys",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A customer of the demo. `size` scales its usage, `monthly_growth_pct` lets it grow or shrink."""

    external_id: str
    name: str
    legal_name: str
    address_line1: str
    postal_code: str
    city: str
    country: str
    timezone: str
    plan: str
    size: int
    monthly_growth_pct: int
    habit: PayingHabit = "prompt"
    locale: str = "en"
    currency: str = "EUR"
    tax_id: str = ""
    payment_terms_days: int = 30
    purchase_order: str = ""
    start_day: int = 1  # of the first month
    joined_days_ago: int = 0  # before the story ends, instead of a start_day
    subject_keys: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        """Return the members that customers.services.create_customer takes."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        return fields | {"email": f"accounts@{self.external_id}.example"}


@dataclass(frozen=True, slots=True)
class Cast:
    """The company that sells, as fields of BillingEntity, and its customers."""

    seller: dict[str, str]
    players: tuple[Player, ...]


def load_cast() -> Cast:
    """Read the file beside this module."""
    return msgspec.yaml.decode((Path(__file__).parent / "cast.yaml").read_bytes(), type=Cast)
