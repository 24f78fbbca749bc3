"""Make and change meters. A new meter counts the past from its first moment."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from customers import audit
from squill.lib.actor import Actor
from usage import put_away
from usage.corrections.correcting import check_reason
from usage.ingestion import locks, replaying
from usage.models import Meter, QuarantinedEvent, Rollup
from usage.rollups.filters import canonical
from usage.rollups.rebuild import rebuild_meter

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_MOST_DIMENSIONS: Final = 10
# Field, most characters, and whether it may be empty.
_TEXTS: Final = (("name", 255, False), ("event_type", 255, False), ("value_path", 255, True), ("unit", 32, True))
MEANING: Final = frozenset({"code", "event_type", "aggregation", "value_path", "dimensions", "filters"})
_FIELDS: Final = MEANING | {"name", "unit"}


class MeterError(Exception):
    """The meter cannot be made or changed so; nothing was written. `errors` maps fields to what is wrong."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors.items()))
        self.errors = dict(errors)


@transaction.atomic
def create_meter(
    *,
    code: str,
    name: str,
    event_type: str,
    aggregation: str,
    value_path: str = "",
    dimensions: Sequence[str] = (),
    filters: Mapping[str, Any] | None = None,
    unit: str = "",
    predecessor: Meter | None = None,
    actor: Actor,
    now: datetime,
) -> Meter:
    """
    Make a meter and build its rollups over all past events of its type, in one transaction.

    `filters` are as `usage.rollups.filters` describes. Ingestion of the event type waits meanwhile. Past events whose data the
    meter cannot use are left out; the audit trail says how many. Events that were put away are left out too; it says from which
    day on (UTC) all are counted. Quarantined events of the type are brought back by the next `replay_waiting`.

    :raises MeterError: if a field is wrong or the code is taken
    """
    meter = Meter(
        code=code,
        name=name,
        event_type=event_type,
        aggregation=aggregation,
        value_path=value_path,
        dimensions=list(dimensions),
        filters={} if filters is None else filters,
        unit=unit,
        predecessor=predecessor,
        created_at=now,
    )
    check_meter(meter)
    locks.keep_ingestion_out([event_type])
    _save(meter)
    rebuilt = rebuild_meter(meter)
    after = _facts(meter) | {"past_events": rebuilt.counted, "unusable_past_events": rebuilt.unusable} | _complete_since()
    audit.record(action="meter.created", object_type="meter", object_id=code, actor=actor, now=now, after=after)
    return meter


@transaction.atomic
def update_meter(*, meter_id: int, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Meter:
    """
    Change a meter; `changes` holds fields as `create_meter` takes them. Return it as it now is.

    Name and unit may always change. What it means (code, event type, aggregation, value, dimensions) may change only
    while it has counted nothing; its rollups are then built anew, and events that it could not use are tried again.

    :raises MeterError: if a field is wrong or unknown, or may not change any more
    :raises Meter.DoesNotExist: if there is no such meter
    """
    meter = Meter.objects.select_for_update().get(pk=meter_id)
    if unknown := sorted(set(changes) - _FIELDS):
        raise MeterError({field: _("is not a field of a meter") for field in unknown})
    before = _facts(meter)
    earlier_type = meter.event_type
    for field, value in changes.items():
        setattr(meter, field, list(value) if field == "dimensions" and not isinstance(value, str) else value)
    check_meter(meter)
    after = _facts(meter)
    changed = [field for field in after if after[field] != before[field]]
    if not changed:
        return meter
    redefined = sorted(MEANING.intersection(changed))
    if redefined:
        locks.keep_ingestion_out({earlier_type, meter.event_type})
        if Rollup.objects.filter(meter_id=meter.pk).exists():
            fixed = _("is fixed: the meter has counted usage. Make a meter that succeeds it instead")
            raise MeterError({field: fixed for field in redefined})
    _save(meter)
    since: dict[str, str] = {}
    if redefined:
        rebuild_meter(meter)
        since = _complete_since()
        for event_type in sorted({earlier_type, meter.event_type}):
            replaying.replay_unusable(event_type, now=now)
    audit.record(
        action="meter.changed",
        object_type="meter",
        object_id=meter.code,
        actor=actor,
        now=now,
        before={field: before[field] for field in changed},
        after={field: after[field] for field in changed} | since,
    )
    return meter


@transaction.atomic
def succeed_meter(*, meter_id: int, code: str, changes: Mapping[str, Any], actor: Actor, now: datetime) -> Meter:
    """
    Make a meter that means something else in the place of one whose meaning is fixed; return it.

    It has the fields of its predecessor but for `changes`, and counts the past as any new meter does. The predecessor goes
    on counting, since published plans price it; new plan versions take the successor. Audited as meter.created and
    meter.succeeded.

    :raises MeterError: as create_meter, if nothing that it means differs, or if the meter is succeeded already
    :raises Meter.DoesNotExist: if there is no such meter
    """
    earlier = Meter.objects.select_for_update().get(pk=meter_id)
    if unknown := sorted(set(changes) - (_FIELDS - {"code"})):
        raise MeterError({field: _("is not a field of a successor") for field in unknown})
    later = Meter.objects.filter(predecessor=earlier).first()
    if later is not None:
        message = _("%(code)s succeeds this meter already: let another meter succeed that one")
        raise MeterError({"code": message % {"code": later.code}})
    fields = _facts(earlier) | dict(changes) | {"code": code}
    wanted = Meter(**(fields | {"dimensions": list(fields["dimensions"])}))
    check_meter(wanted)  # which spells the filters as those of the earlier meter are
    if all(_facts(wanted)[field] == _facts(earlier)[field] for field in MEANING - {"code"}):
        raise MeterError({"": _("Nothing that the meter means would change: change its name or unit instead.")})
    meter = create_meter(**(fields | {"predecessor": earlier}), actor=actor, now=now)
    audit.record(
        action="meter.succeeded",
        object_type="meter",
        object_id=earlier.code,
        actor=actor,
        now=now,
        after={"successor": meter.code},
    )
    return meter


class MeterInUse(Exception):
    """The meter has counted usage or is priced, so it stays. The message says which."""


@transaction.atomic
def delete_meter(*, meter_id: int, actor: Actor, now: datetime) -> None:
    """
    Delete a meter that was never used; locks it, and ingestion of its type waits. Audited as meter.deleted.

    :raises MeterInUse: if it has counted usage, or a charge prices it
    :raises Meter.DoesNotExist: if there is no such meter
    """
    meter = Meter.objects.select_for_update().get(pk=meter_id)
    locks.keep_ingestion_out([meter.event_type])
    if Rollup.objects.filter(meter_id=meter.pk).exists():
        raise MeterInUse(_("The meter %(code)s has counted usage, which stays readable.") % {"code": meter.code})
    before = _facts(meter)
    try:
        with transaction.atomic():
            meter.delete()
    except ProtectedError:
        raise MeterInUse(_("The meter %(code)s is priced by a plan, or succeeded.") % {"code": meter.code}) from None
    audit.record(action="meter.deleted", object_type="meter", object_id=before["code"], actor=actor, now=now, before=before)


def replay_quarantined(*, row_ids: Sequence[int], actor: Actor, now: datetime) -> int:
    """Try quarantined events again, conflicts excepted; return how many now count. Audited as quarantine.replayed."""
    replayed = replaying.replay_chosen(row_ids, now=now)
    audit.record(
        action="quarantine.replayed",
        object_type="quarantine",
        object_id="",
        actor=actor,
        now=now,
        after={"tried": len(row_ids), "replayed": replayed},
    )
    return replayed


@transaction.atomic
def discard_quarantined(*, row_ids: Sequence[int], reason: str, actor: Actor, now: datetime) -> int:
    """
    Put aside waiting events that nobody shall be billed for; return how many. They are kept, and never replayed.

    The reason has 1 to 500 characters and is kept with each, which is audited as quarantine.discarded.

    :raises CorrectionError: bad_reason
    """
    check_reason(reason)
    waiting = QuarantinedEvent.objects.select_for_update().filter(pk__in=row_ids, status=QuarantinedEvent.Status.WAITING)
    rows = list(waiting.defer("data").order_by("pk"))
    for row in rows:
        row.status = QuarantinedEvent.Status.DISCARDED
        row.resolved_at = now
        row.discard_reason = reason
        row.save(update_fields=["status", "resolved_at", "discard_reason"])
        audit.record(
            action="quarantine.discarded",
            object_type="quarantine",
            object_id=str(row.key),
            actor=actor,
            now=now,
            before={"reason": row.reason, "source": row.source, "id": row.event_id},
            after={"discard_reason": reason},
        )
    return len(rows)


def _facts(meter: Meter) -> dict[str, Any]:
    return {
        "code": meter.code,
        "name": meter.name,
        "event_type": meter.event_type,
        "aggregation": meter.aggregation,
        "value_path": meter.value_path,
        "dimensions": meter.dimensions,
        "filters": meter.filters,
        "unit": meter.unit,
    }


def _complete_since() -> dict[str, str]:
    """Say since which day (UTC) a rebuild has counted every event, where older ones were put away."""
    since = put_away.complete_since()
    return {"complete_since": since.isoformat()} if since else {}


def _save(meter: Meter) -> None:
    try:
        with transaction.atomic():
            meter.save()
    except IntegrityError as error:
        if "code" not in str(error):
            raise
        raise MeterError({"code": _("is taken by another meter")}) from None


def check_meter(meter: Meter) -> None:
    """
    Refuse a meter that could not be made, without writing or locking; whether its code is free is not asked. Puts the filters
    into their one spelling.

    :raises MeterError: if a field is wrong
    """
    errors: dict[str, str] = {}
    if not _CODE.fullmatch(meter.code):
        errors["code"] = _("must be 1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit")
    for field, most, may_be_empty in _TEXTS:
        value = getattr(meter, field)
        if not isinstance(value, str) or len(value) > most or (value and not value.isprintable()):
            errors[field] = _("must be a printable text of at most %(most)d characters") % {"most": most}
        elif not value.strip() and not (may_be_empty and value == ""):
            errors[field] = _("must not be empty")
    if meter.aggregation not in Meter.Aggregation.values:
        errors["aggregation"] = _("must be one of %(choices)s") % {"choices": ", ".join(Meter.Aggregation.values)}
    elif meter.aggregation == Meter.Aggregation.COUNT and meter.value_path:
        errors["value_path"] = _("must be empty: a count takes no value")
    elif meter.aggregation != Meter.Aggregation.COUNT and not meter.value_path and "value_path" not in errors:
        errors["value_path"] = _("must name the member of data that holds the value")
    if message := _wrong_with_dimensions(meter.dimensions):
        errors["dimensions"] = message
    try:
        meter.filters = canonical(meter.filters)
    except ValueError as error:
        errors["filters"] = str(error)
    if errors:
        raise MeterError(errors)


def _wrong_with_dimensions(dimensions: object) -> str:
    if not isinstance(dimensions, list) or not all(isinstance(name, str) for name in dimensions):
        return _("must be a list of texts")
    if any(not name or len(name) > 64 or not name.isprintable() for name in dimensions):
        return _("each must be a printable text of 1 to 64 characters")
    if len(set(dimensions)) < len(dimensions):
        return _("names a member twice")
    if len(dimensions) > _MOST_DIMENSIONS:
        return _("at most %(most)d") % {"most": _MOST_DIMENSIONS}
    return ""
