"""Ratings a second on one core, pure: no database, no Django, charges read beforehand; and whole documents of ten lines."""

import time
from collections.abc import Callable
from decimal import Decimal
from itertools import cycle, islice
from typing import Any

from billing.pricing.charge import parse_charge, price, price_events
from billing.pricing.document import calculate

SECONDS, ROUNDS = 0.2, 15  # a round is short, so that some of them run while the machine's neighbours sleep
BAR, AIM = 50_000, 150_000  # ratings a second of a graduated charge with three tiers
TIERS = [
    {"up_to": "1000", "unit_amount": "0"},
    {"up_to": "50000", "unit_amount": "0.002"},
    {"up_to": None, "unit_amount": "0.001"},
]
CHARGES: dict[str, dict[str, Any]] = {
    "graduated, three tiers": {"model": "graduated", "tiers": TIERS},
    "graduated with free units, discount and minimum": {
        "model": "graduated",
        "tiers": TIERS,
        "free_units": "100",
        "percentage_discount": "10",
        "minimum_amount": "20",
    },
    "volume, three tiers": {"model": "volume", "tiers": TIERS},
    "per_unit": {"model": "per_unit", "unit_amount": "0.085"},
    "per_unit by thirds, so in fractions": {"model": "per_unit", "unit_amount": "0.085", "divide_by": "3"},
    "package": {"model": "package", "package_size": "1000", "package_amount": "2"},
}
CARDS: dict[str, Any] = {"model": "percentage", "rate": "2.9", "fixed_amount": "0.30"}
# Every one of them enters all three tiers, which is the most that there is to do.
QUANTITIES = [Decimal(50_001 + 977 * number) + Decimal("0.5") for number in range(100)]
EVENTS = [Decimal(10 + 7 * number) for number in range(10)]
DOCUMENT: dict[str, Any] = {
    "currency": "EUR",
    "lines": [
        {"id": f"line-{number}", "charge": charge, "quantity": "75000.5", "taxes": ["20"]}
        for number, charge in enumerate(islice(cycle(CHARGES.values()), 9))
    ]
    + [{"id": "cards", "charge": CARDS, "events": ["100", "50.50"], "taxes": ["20"]}],
    "commitments": [{"id": "minimum", "amount": "200", "factor": "10/31", "taxes": ["20"]}],
    "discounts": [{"percent": "10"}],
    "credit_notes": ["2.5"],
    "prepaid_credits": ["1000"],
}


def main() -> None:
    for name, members in CHARGES.items():
        charge = parse_charge(members)
        told(name, lambda charge=charge: [price(charge, quantity) for quantity in QUANTITIES], len(QUANTITIES))
    cards = parse_charge(CARDS)
    told("percentage of ten events", lambda: price_events(cards, EVENTS), 1)
    told("a document of ten lines, read, priced and totalled", lambda: calculate(DOCUMENT), 1, what="documents")


def told(name: str, work: Callable[[], object], size: int, what: str = "ratings") -> None:
    """Print how often a second the work is done: the best round, and the median one."""
    rates = sorted(rate(work) * size for _round in range(ROUNDS))
    print(f"{name}: {rates[-1]:,.0f} {what} a second (the median round {rates[ROUNDS // 2]:,.0f})", flush=True)
    if name == "graduated, three tiers":
        assert rates[-1] >= BAR, f"below the bar of {BAR:,}"
        print(f"  aimed at {AIM:,}: {'met' if rates[-1] >= AIM else 'missed'}")


def rate(work: Callable[[], object]) -> float:
    """Repeat the work for a fifth of a second; return how often a second it was done."""
    times = 0
    started = time.perf_counter()
    while (taken := time.perf_counter() - started) < SECONDS:
        work()
        times += 1
    return times / taken


if __name__ == "__main__":
    main()
