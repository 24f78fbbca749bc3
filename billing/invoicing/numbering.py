"""Gapless numbers (I6): given from a locked counter, in the transaction that makes the document final."""

from datetime import date
from typing import NamedTuple

from billing.invoicing.entities import ensure_series
from billing.locks import lock_counter
from billing.models import BillingEntity, NumberCounter, NumberSeries


class GivenNumber(NamedTuple):
    """A number that was just taken: the counter it came from, its place there, and as it is printed."""

    counter: NumberCounter
    sequence: int
    text: str


def next_number(entity: BillingEntity, *, kind: NumberSeries.Kind, issued_on: date) -> GivenNumber:
    """
    Take the next number of a seller's series, of the year of `issued_on` where the series starts anew each year.

    Locks the counter until the transaction ends; one that fails takes the number back with it, so there is never a gap.
    """
    series = ensure_series(entity, kind=kind)
    year = issued_on.year if series.resets_yearly else 0
    counter = lock_counter(series_id=series.pk, year=year)
    if counter is None:
        NumberCounter.objects.get_or_create(series=series, year=year)
        counter = lock_counter(series_id=series.pk, year=year)
    if counter is None:
        raise RuntimeError(f"the counter of {series} is gone")
    counter.last_number += 1
    counter.save(update_fields=["last_number"])
    return GivenNumber(counter, counter.last_number, number_text(series.pattern, year=issued_on.year, number=counter.last_number))


def number_text(pattern: str, *, year: int, number: int) -> str:
    """
    Write a number by the pattern of its series.

    >>> number_text("ACME-{year}-{number:06}", year=2026, number=123)
    'ACME-2026-000123'
    """
    return pattern.format(year=year, number=number)
