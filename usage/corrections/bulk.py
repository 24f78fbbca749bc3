"""Void many events: first see what they are, then void exactly these, in batches that can be stopped and gone on with."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers import audit
from squill.lib.actor import Actor
from squill.lib.decimals import exact
from usage import put_away
from usage.corrections.correcting import check_reason, void_stored
from usage.corrections.errors import CorrectionError
from usage.corrections.finding import stored_events
from usage.encoding import exact_json
from usage.encoding.identity import event_key
from usage.models import Meter
from usage.models.event import UTC_DAY
from usage.rollups.rules import Rule

MOST: Final = 100_000  # events of one selection
AT_ONCE: Final = 10_000  # events that one call voids, so that it ends before a gateway gives up
_BATCH: Final = 1000  # events of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """
    Events that happened in [start, end), of a source, a subject, or both.

    `customer_id` is the customer that the caller is narrowed to.
    """

    start: datetime
    end: datetime
    source: str | None = None
    subject: str | None = None
    customer_id: int | None = None


@dataclass(frozen=True, slots=True)
class MeterSums:
    """What a meter would lose: events, and the sum of their values (their number, for a count)."""

    meter: str
    event_count: int
    value_sum: Decimal


@dataclass(frozen=True, slots=True)
class Selected:
    """What a selection finds that still counts. `token` stands for these events and no others."""

    event_count: int
    meters: tuple[MeterSums, ...]
    token: str


@dataclass(frozen=True, slots=True)
class Voided:
    """How many events a call has voided, and how many of the selection are left for the next call."""

    event_count: int
    left: int


# In the order of source and id, which the token is made in. What this token has voided already stays part of what it stands for.
# Reads the selected months; a caller that is narrowed to a customer reads its events alone, by usage_event_by_customer.
_SELECT: Final = f"""
SELECT e.source, e.event_id, e.event_type, CASE WHEN %(with_data)s THEN e.data END, v.id IS NOT NULL
FROM usage_event e
JOIN customers_customer c ON c.id = e.customer_id
LEFT JOIN usage_correction v ON v.customer_id = e.customer_id AND v.occurred_at = e.occurred_at
  AND v.event_id = e.event_id AND v.source = e.source
WHERE e.occurred_at >= %(start)s AND e.occurred_at < %(end)s
  AND {UTC_DAY} BETWEEN (%(start)s AT TIME ZONE 'UTC')::date AND (%(end)s AT TIME ZONE 'UTC')::date
  AND (%(source)s::text IS NULL OR e.source = %(source)s::text)
  AND (%(subject)s::text IS NULL OR coalesce(e.subject, c.external_id) = %(subject)s::text)
  AND (%(customer_id)s::bigint IS NULL OR e.customer_id = %(customer_id)s::bigint)
  AND (v.id IS NULL OR v.batch = %(token)s::text)
ORDER BY e.source COLLATE "C", e.event_id COLLATE "C" LIMIT %(limit)s
"""  # noqa: S608 (constants only)
_FETCHED_AT_ONCE: Final = 2000


def select(selection: Selection) -> Selected:
    """
    Say what a bulk void would void. Writes nothing.

    :raises CorrectionError: bad_range, too_many (more than 100,000), or put_away (the range reaches into such a month)
    """
    rules: dict[str, list[tuple[str, Rule]]] = defaultdict(list)
    for meter in Meter.objects.order_by("code"):
        rules[meter.event_type].append((meter.code, Rule.of(meter)))
    token = _new_token(selection)
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    total = 0
    with transaction.atomic(), exact():
        for source, event_id, event_type, text, _is_voided in _selected(selection, token="", with_data=True):
            total += 1
            token.update(bytes.fromhex(event_key(source, event_id)))
            data = exact_json.decode(text)
            for code, rule in rules[event_type]:
                reading = rule.read_stored(data)
                if reading is not None:
                    counts[code] += 1
                    sums[code] += reading[2]
    meters = tuple(MeterSums(code, counts[code], sums[code]) for code in sorted(counts))
    return Selected(total, meters, token.hexdigest())


def void_selected(
    selection: Selection, *, token: str, reason: str, actor: Actor, now: datetime, most: int = AT_ONCE, batch: int = _BATCH
) -> Voided:
    """
    Void the events that `select` has shown under this token, at most `most` of them; call again until none is left.

    Each batch is a transaction of its own, audited as events.voided; an interrupted void goes on where it stopped.

    :raises CorrectionError: bad_reason, bad_range, put_away, or changed (other events match now than those that were shown)
    """
    check_reason(reason)
    digest = _new_token(selection)
    names: list[tuple[str, str]] = []
    with transaction.atomic():
        for source, event_id, _type, _text, is_voided in _selected(selection, token=token, with_data=False):
            digest.update(bytes.fromhex(event_key(source, event_id)))
            if not is_voided:
                names.append((source, event_id))
    if digest.hexdigest() != token:
        message = _("Other events match now than the ones that were shown, or they were corrected meanwhile: look again first.")
        raise CorrectionError("changed", message)
    chosen = names[:most]
    voided = 0
    for start in range(0, len(chosen), batch):
        voided += _void_batch(chosen[start : start + batch], token=token, reason=reason, actor=actor, now=now)
    return Voided(voided, len(names) - len(chosen))


@transaction.atomic
def _void_batch(names: list[tuple[str, str]], *, token: str, reason: str, actor: Actor, now: datetime) -> int:
    written, moved = void_stored(stored_events(names), reason=reason, actor=actor, now=now, batch=token)
    if written:
        after = {"reason": reason, "events": len(written), "rollups": len(moved)}
        audit.record(action="events.voided", object_type="events", object_id=token, actor=actor, now=now, after=after)
    return len(written)


def _selected(selection: Selection, *, token: str, with_data: bool) -> Iterator[tuple[str, str, str, str, bool]]:
    if selection.start >= selection.end or (selection.source is None and selection.subject is None):
        raise CorrectionError("bad_range", _("Name a source or a subject, and a time range that ends after it begins."))
    parameters = {
        "start": selection.start,
        "end": selection.end,
        "source": selection.source,
        "subject": selection.subject,
        "customer_id": selection.customer_id,
        "token": token,
        "with_data": with_data,
        "limit": MOST + 1,
    }
    read = 0
    with connection.chunked_cursor() as cursor:
        cursor.execute(_SELECT, parameters)
        if message := put_away.reason_against([(selection.start, selection.end)]):
            raise CorrectionError("put_away", message)
        while rows := cursor.fetchmany(_FETCHED_AT_ONCE):
            read += len(rows)
            if read > MOST:
                message = _("More than %(most)d events match: take a shorter time range.")
                raise CorrectionError("too_many", message % {"most": MOST})
            yield from rows


def _new_token(selection: Selection) -> blake2b:
    named = [selection.start.isoformat(), selection.end.isoformat(), selection.source, selection.subject, selection.customer_id]
    return blake2b(exact_json.encode(named), digest_size=16)
