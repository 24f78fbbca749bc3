"""EventBridge's clock: fires the schedule rules that zappa made, on command or as time goes by."""

import json
import re
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from moto.events.models import Rule, events_backends

from infra.localaws import ACCOUNT, REGION
from infra.localaws.functions import Functions

_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((\*|[\d,]+) (\*|[\d,]+) \* \* \? \*\)")
_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Fired:
    """One target of a rule that was invoked."""

    rule: str
    function_arn: str
    request_id: str


class Ticker:
    """Fires rules; start() does so in real time until it is closed."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def rules(self) -> list[Rule]:
        """Return the enabled rules that have a schedule."""
        rules = events_backends[ACCOUNT][REGION].list_rules()[0]
        return [rule for rule in rules if rule.scheduled_expression and rule.state == "ENABLED"]

    def fire(self, ending: str, *, at: datetime | None = None) -> list[Fired]:
        """
        Fire the rules whose name ends so (zappa ends it with the function's dotted name); invocations are asynchronous.

        :raises LookupError: if there is no such rule
        """
        found = [rule for rule in self.rules() if rule.name.endswith(ending)]
        if not found:
            known = ", ".join(rule.name for rule in self.rules()) or "none"
            raise LookupError(f"no enabled schedule rule ends with {ending!r}; there are: {known}")
        return [fired for rule in found for fired in self._fire(rule, at or datetime.now(UTC))]  # noqa: TID251 - AWS's own clock

    def start(self) -> None:
        """
        Fire each rule as its schedule says, from now on.

        :raises ValueError: if there is one whose expression is not understood
        """
        for rule in self.rules():
            _next(rule.scheduled_expression, 0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Fire no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _fire(self, rule: Rule, at: datetime) -> list[Fired]:
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": [rule.arn],
            "detail": {},
        }
        fired = []
        for target in rule.targets:
            payload = _input(target, event)
            fired.append(Fired(rule.name, target["Arn"], self._functions.invoke_later(target["Arn"], payload)))
        return fired

    def _run(self) -> None:
        due = {rule.name: _next(rule.scheduled_expression, time.time()) for rule in self.rules()}
        while not self._stop.wait(1):
            now = time.time()
            for rule in self.rules():
                at = due.setdefault(rule.name, _next(rule.scheduled_expression, now))
                if at <= now:
                    due[rule.name] = _next(rule.scheduled_expression, now)
                    self._fire(rule, datetime.fromtimestamp(at, UTC))


def _input(target: dict[str, Any], event: dict[str, Any]) -> bytes:
    """Return what a target gets: the event, a constant, or a template with values of the event filled in."""
    if target.get("Input"):
        return str(target["Input"]).encode()
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event).encode()
    template: str = transformer["InputTemplate"]
    paths = transformer.get("InputPathsMap", {})

    def value(place: re.Match[str]) -> str:
        if place[1] not in paths:
            return place[0]
        found: Any = event
        for step in filter(None, paths[place[1]].removeprefix("$").split(".")):
            found = found[step]
        # Within quotes a text is filled in as it is; anywhere else a value is written as JSON.
        is_quoted = template[: place.start()].count('"') % 2 == 1
        return found if is_quoted and isinstance(found, str) else json.dumps(found)

    return re.sub(r"<([\w-]+)>", value, template).encode()


def _next(expression: str | None, now: float) -> float:
    """
    Return when a schedule is due next, in seconds of the epoch.

    Of cron, minutes and hours of every day: numbers, lists of them, and *.

    :raises ValueError: for other expressions
    """
    rate = _RATE.fullmatch(expression or "")
    if rate:
        return now + int(rate[1]) * _SECONDS[rate[2]]
    cron = _CRON.fullmatch(expression or "")
    if cron is None:
        raise ValueError(f"the ticker does not know {expression!r}: fire the rule by hand")
    at = (int(now) // 60 + 1) * 60
    while not (_is_among(time.gmtime(at).tm_min, cron[1]) and _is_among(time.gmtime(at).tm_hour, cron[2])):
        at += 60
    return float(at)


def _is_among(number: int, listed: str) -> bool:
    return listed == "*" or str(number) in listed.split(",")
