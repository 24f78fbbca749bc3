"""A charge in words, for the portal, the admin and the difference between two plan versions."""

from decimal import Decimal

from billing.pricing.adjustments import adjustment_words
from billing.pricing.charge import Charge
from billing.pricing.charge_models.model import Words
from squill.lib.decimals import plain


def describe_charge(charge: Charge, *, currency: str, money: Words | None = None, quantity: Words | None = None) -> list[str]:
    """
    Say what a charge costs in plain English: a row per tier or step, then a row per adjustment in its order.

    `money` and `quantity` write amounts in major units and other numbers as the reader is used to; plain English by default.

    >>> from billing.pricing.charge import parse_charge
    >>> describe_charge(parse_charge({"model": "per_unit", "unit_amount": "0.10", "free_units": "1000"}), currency="EUR")
    ['0.1 EUR each', 'first 1,000 free']
    """

    def plain_money(amount: Decimal) -> str:
        return f"{number(amount)} {currency}"

    writers = (money or plain_money, quantity or number)
    rows = [*charge.model.words(*writers), *adjustment_words(charge.adjustments, *writers)]
    return rows if charge.charge_when_unused else [*rows, "nothing if unused"]


def number(value: Decimal) -> str:
    """
    Write a number with thousands separators and without trailing zeros.

    >>> number(Decimal("1234567.50"))
    '1,234,567.5'
    """
    return format(Decimal(plain(value)), ",f")
