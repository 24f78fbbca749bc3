"""Six months of plausible usage: growth, quiet weekends, noise. The same seed makes the same events."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from billing.management.demo.cast import Player
from usage.ingestion import IncomingEvent, incoming_event

SOURCE = "demo"
_SATURDAY = 5


def usage_of(player: Player, *, first_day: date, start: datetime, end: datetime, seed: int) -> Iterator[IncomingEvent]:
    """
    Yield the events of one customer from `start` (inclusive) to `end` (exclusive), none before the local `first_day`.

    Every day has dice of its own, so that a span gives the same events whether it is asked for whole or in parts.
    """
    zone = ZoneInfo(player.timezone)
    day = max(first_day, start.astimezone(zone).date())
    while (midnight := datetime.combine(day, time(), zone)) < end:
        chance = random.Random(f"{seed}:{player.external_id}:{day}")  # noqa: S311 (believable data, no secret)
        months = Decimal((day - first_day).days) / 30
        level = player.size * (1 + months * player.monthly_growth_pct / 100)
        if day.weekday() >= _SATURDAY:
            level = level * 38 / 100
        level = max(level * chance.randint(82, 118) / 100, Decimal("0.1"))
        for number, (hour, event_type, data) in enumerate(_day(player, level, chance)):
            at = (midnight + timedelta(hours=hour, minutes=chance.randint(0, 59))).astimezone(UTC)
            subject = chance.choice((player.external_id, *player.subject_keys))
            if start <= at < end:
                yield incoming_event(
                    source=SOURCE,
                    event_id=f"{player.external_id}-{day:%Y%m%d}-{number}",
                    event_type=event_type,
                    subject=subject,
                    occurred_at=at,
                    data=data,
                )
        day += timedelta(days=1)


def _day(player: Player, level: Decimal, chance: random.Random) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield (hour, type, data) for what a plan's customer does on a day."""
    if player.plan == "api-scale":
        for hour, share in ((9, 30), (13, 40), (18, 30)):
            endpoint = chance.choice(("search", "route", "geocode"))
            yield hour, "api.requests", {"requests": int(level * 1000 * share / 100), "endpoint": endpoint}
        yield 23, "storage.sample", {"gigabytes": _thousandths(level * 5), "region": "eu"}
        yield 23, "storage.sample", {"gigabytes": _thousandths(level * 2), "region": "us"}
    elif player.plan == "stream":
        for hour in (6, 12, 18):
            yield hour, "stream.processed", {"gigabytes": _thousandths(level / 3), "pipeline": "main"}
    else:
        for _report in range(int(level)):
            yield chance.randint(8, 17), "report.created", {"pages": chance.randint(1, 40)}


def _thousandths(number: Decimal) -> str:
    """Cut a positive number to three decimals."""
    return str(Decimal(int(number * 1000)).scaleb(-3))
