"""The number series of a seller: how documents are named from now on, and why some names cannot be given."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing.invoicing.numbering import number_text
from billing.locks import lock_all_series
from billing.models import BillingEntity, CreditNote, Invoice, NumberCounter, NumberSeries
from customers.audit import record
from squill.lib.actor import Actor
from squill.lib.refusal import Refused

_PATTERN: Final = re.compile(r"(?P<before>[^{}]*(?:\{year\}[^{}]*)?)\{number(?::0(?P<width>[1-9]))?\}(?P<after>[^{}]*)")
# Numbers are parts of addresses, file names and bank references.
_LETTERS: Final = re.compile(r"[A-Za-z0-9._-]*", re.ASCII)
_LONGEST: Final = 48
_DIGITS: Final = "0123456789"


class PatternRefused(Refused):
    """Documents cannot be numbered so; `code` is stable, the message is for a person."""

    def __init__(self, message: str, *, code: str, field: str = "pattern") -> None:
        super().__init__(message, code=code)
        self.field = field


@transaction.atomic
def save_series(
    *, entity_id: int, kind: NumberSeries.Kind, pattern: str, resets_yearly: bool, actor: Actor, now: datetime
) -> NumberSeries:
    """
    Say how a seller's documents of a kind are numbered from the next one on. Documents that have a number keep it.

    The counter goes on: a new pattern takes the next number, not 1. Locks all series, so that no two of them come to the same
    names at once; audited as number_series.created or .changed.

    :raises PatternRefused: unreadable, or would_collide with another series or with a number that was given
    """
    lock_all_series()
    entity = BillingEntity.objects.get(pk=entity_id)
    series = NumberSeries.objects.filter(billing_entity=entity, kind=kind).first()
    before = {} if series is None else {"pattern": series.pattern, "resets_yearly": series.resets_yearly}
    after = {"pattern": pattern, "resets_yearly": resets_yearly}
    if before == after and series is not None:
        return series
    check_pattern(pattern, resets_yearly=resets_yearly)
    _refuse_collisions(pattern, resets_yearly=resets_yearly, series=series)
    if series is None:
        series = NumberSeries(billing_entity=entity, kind=kind)
    series.pattern, series.resets_yearly = pattern, resets_yearly
    series.save()
    record(
        action="number_series.changed" if before else "number_series.created",
        object_type="number_series",
        object_id=f"{entity.code}:{kind}",
        actor=actor,
        now=now,
        before=before,
        after=after,
    )
    return series


def next_texts(pattern: str, *, last_number: int, year: int, count: int = 2) -> list[str]:
    """
    Write the next numbers of a counter, as an example.

    >>> next_texts("ACME-{year}-{number:06}", last_number=122, year=2026)
    ['ACME-2026-000123', 'ACME-2026-000124']
    """
    return [number_text(pattern, year=year, number=last_number + step) for step in range(1, count + 1)]


def last_number(series: NumberSeries, *, year: int) -> int:
    """Return the number that a series has given last, in a year where it starts anew; 0 before the first. One query."""
    counter = NumberCounter.objects.filter(series=series, year=year if series.resets_yearly else 0).first()
    return 0 if counter is None else counter.last_number


def check_pattern(pattern: str, *, resets_yearly: bool) -> None:
    """
    Refuse what is no pattern. Pure.

    :raises PatternRefused: unreadable
    """
    parts = _PATTERN.fullmatch(pattern)
    if parts is None:
        message = _("Write {number}, or {number:06} for at least six digits, once, and before it {year} where you want it.")
        raise PatternRefused(message, code="unreadable")
    literals = pattern.replace("{year}", "").replace(parts[0][parts.end("before") : parts.start("after")], "")
    if len(pattern) > _LONGEST or not _LETTERS.fullmatch(literals) or ".." in pattern or pattern.startswith("."):
        message = _("Write at most 48 letters, digits, dashes, underscores and single dots, and no dot at the beginning.")
        raise PatternRefused(message, code="unreadable")
    if resets_yearly and "{year}" not in pattern:
        message = _("A series that starts at 1 each year has {year} in its pattern, or numbers would come twice.")
        raise PatternRefused(message, code="unreadable", field="resets_yearly")


def can_collide(one: str, other: str) -> bool:
    """
    Say whether two patterns can write the same text for any years and numbers. Pure.

    A number is taken as any digits of at least its width, so that a pattern which could only collide after millions is named too.

    >>> can_collide("INV-{number:06}", "INV-{year}-{number:06}"), can_collide("INV-{number:06}", "INV-{year}{number}")
    (False, True)
    """
    first, second = _steps(one), _steps(other)
    seen = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        left, right = waiting.pop()
        if left in first.ends and right in second.ends:
            return True
        for letters, following in first.moves.get(left, ()):
            for others, after in second.moves.get(right, ()):
                pair = (following, after)
                if pair not in seen and letters & others:
                    seen.add(pair)
                    waiting.append(pair)
    return False


class _Steps:
    """The texts of a pattern as a machine: from each state, the letters that lead to another."""

    def __init__(self) -> None:
        self.moves: dict[int, list[tuple[frozenset[str], int]]] = {}
        self.ends: set[int] = set()


def _steps(pattern: str) -> _Steps:
    parts = _PATTERN.fullmatch(pattern)
    if parts is None:
        raise ValueError(f"{pattern!r} is no pattern of numbers")
    digits, steps, state = frozenset(_DIGITS), _Steps(), 0
    before: list[frozenset[str]] = []
    for piece in re.split(r"(\{year\})", parts["before"]):
        before += [digits] * 4 if piece == "{year}" else [frozenset(letter) for letter in piece]
    for letters in before + [digits] * int(parts["width"] or 1):
        steps.moves[state] = [(letters, state + 1)]
        state += 1
    steps.moves[state] = [(digits, state)]  # numbers that outgrow their width
    for letter in parts["after"]:
        steps.moves.setdefault(state, []).append((frozenset(letter), state + 1))
        state += 1
    steps.ends = {state}
    return steps


def _refuse_collisions(pattern: str, *, resets_yearly: bool, series: NumberSeries | None) -> None:
    for other in NumberSeries.objects.select_related("billing_entity"):
        if (series is None or other.pk != series.pk) and can_collide(pattern, other.pattern):
            message = _("It could write the same number as %(pattern)s, the %(kind)s series of %(entity)s.")
            told = {"pattern": other.pattern, "kind": other.get_kind_display(), "entity": other.billing_entity}
            raise PatternRefused(message % told, code="would_collide")
    # A counter that goes on writes only numbers above those that it gave; one that starts anew writes them again.
    goes_on = series is not None and series.resets_yearly == resets_yearly
    for text, series_id, year, sequence in _given(pattern):
        is_own = goes_on and series is not None and series_id == series.pk
        if not (is_own and number_text(pattern, year=year, number=sequence) == text):
            message = _("The number %(number)s was given already, and could come again: change more of the pattern.")
            raise PatternRefused(message % {"number": text}, code="would_collide")


def _given(pattern: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield the numbers in use that the pattern could write: text, series, year of issue, place in the counter. Two queries."""
    parts = _PATTERN.fullmatch(pattern)
    if parts is None:
        raise ValueError(f"{pattern!r} is no pattern of numbers")
    before = "[0-9]{4}".join(re.escape(piece) for piece in parts["before"].split("{year}"))
    shape = f"^{before}[0-9]{{{parts['width'] or 1},}}{re.escape(parts['after'])}$"
    columns = ("number", "counter__series_id", "issued_on__year", "sequence")
    invoices = Invoice.objects.filter(number__regex=shape).values_list(*columns)
    credit_notes = CreditNote.objects.filter(number__regex=shape).values_list(*columns)
    for text, series_id, year, sequence in chain(invoices.iterator(), credit_notes.iterator()):
        yield str(text), int(series_id), int(year), int(sequence)
