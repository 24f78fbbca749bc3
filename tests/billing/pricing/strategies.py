"""Charges and quantities as hypothesis draws them: JSON members, as they come from outside."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from squill.lib.decimals import plain

PRICES = st.decimals(0, 1000, places=6).map(plain)
RATES = st.decimals(0, 100, places=4).map(plain)
QUANTITIES = st.one_of(
    st.integers(0, 2000).map(Decimal),
    st.decimals(0, 10**6, places=3),
    st.decimals(0, Decimal("999999999999999.999999999999"), places=12),
)
EVENTS = st.lists(st.decimals(0, 5000, places=4), max_size=8)


@st.composite
def tiers(draw: st.DrawFn, *prices: str, flats: bool = True) -> list[dict[str, Any]]:
    bounds = sorted(draw(st.sets(st.decimals(Decimal("0.001"), 2000, places=3), max_size=4)))
    made = []
    for up_to in [*bounds, None]:
        tier: dict[str, Any] = {"up_to": None if up_to is None else plain(up_to)}
        for price in prices:
            tier[price] = draw(RATES if price == "rate" else PRICES)
        if flats and "flat_amount" not in prices and draw(st.booleans()):
            tier["flat_amount"] = draw(PRICES)
        made.append(tier)
    return made


def optional(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


@st.composite
def adjustments(draw: st.DrawFn) -> dict[str, Any]:
    sizes = st.sampled_from(["1", "3", "7", "60", "1000", "1024", "3600", "0.1"])
    made = draw(optional(divide_by=sizes, percentage_discount=RATES, charge_when_unused=st.just(False)))
    made |= draw(optional(free_units=PRICES, usage_discount=PRICES))
    if "divide_by" in made:
        made |= draw(optional(divide_round=st.sampled_from(["up", "down"])))
    least, most = sorted(draw(st.tuples(PRICES, PRICES)), key=Decimal)
    return made | draw(optional(minimum_amount=st.just(least), maximum_amount=st.just(most)))


FLAT_MODELS = st.fixed_dictionaries({"model": st.just("flat"), "amount": PRICES})
UNIT_MODELS = st.one_of(
    st.fixed_dictionaries({"model": st.just("per_unit"), "unit_amount": PRICES}),
    st.fixed_dictionaries({"model": st.just("graduated"), "tiers": tiers("unit_amount")}),
    st.fixed_dictionaries({"model": st.just("volume"), "tiers": tiers("unit_amount")}),
    st.fixed_dictionaries({"model": st.just("stairstep"), "tiers": tiers("flat_amount")}),
    st.fixed_dictionaries(
        {"model": st.just("package"), "package_size": st.sampled_from(["1", "10", "0.5", "3", "1000"]), "package_amount": PRICES},
        optional={"round": st.sampled_from(["up", "down"])},
    ),
)
QUANTITY_MODELS = st.one_of(
    FLAT_MODELS,
    UNIT_MODELS,
    st.fixed_dictionaries({"model": st.just("percentage"), "rate": RATES}, optional={"free_amount": PRICES}),
    st.fixed_dictionaries({"model": st.just("graduated_percentage"), "tiers": tiers("rate")}),
)


@st.composite
def percentages(draw: st.DrawFn) -> dict[str, Any]:
    least, most = sorted(draw(st.tuples(PRICES, PRICES)), key=Decimal)
    extra = optional(
        fixed_amount=PRICES,
        free_events=st.integers(0, 3).map(str),
        free_amount=PRICES,
        per_transaction_min=st.just(least),
        per_transaction_max=st.just(most),
    )
    return {"model": "percentage", "rate": draw(RATES), **draw(extra)}


EVENT_MODELS = st.one_of(percentages(), st.fixed_dictionaries({"model": st.just("graduated_percentage"), "tiers": tiers("rate")}))


@st.composite
def charges(draw: st.DrawFn, models: st.SearchStrategy[dict[str, Any]] = QUANTITY_MODELS) -> dict[str, Any]:
    return {**draw(models), **draw(adjustments())}


PRICE_MEMBERS = ("amount", "unit_amount", "flat_amount", "package_amount", "minimum_amount", "maximum_amount")
# Of the models that price money, every member that is an amount of it
MONEY_MEMBERS = (
    *("up_to", "flat_amount", "fixed_amount", "free_amount", "per_transaction_min", "per_transaction_max"),
    *("free_units", "usage_discount", "minimum_amount", "maximum_amount"),
)


def scaled(members: dict[str, Any], names: Collection[str], times: int) -> dict[str, Any]:
    """Return the charge with the named members so many times as large."""

    def one(name: str, value: Any) -> Any:
        if name == "tiers":
            return [scaled(tier, names, times) for tier in value]
        return plain(Decimal(value) * times) if name in names and value is not None else value

    return {name: one(name, value) for name, value in members.items()}
