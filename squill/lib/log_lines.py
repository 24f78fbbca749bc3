"""
How a record of the log is written: a line for people, or a JSON object for CloudWatch; without secrets and personal data.

Whoever logs names ids, and no person. What slips in all the same by way of a path or an error's text is crossed out here: mail
addresses, API keys, sign-in links. What PostgreSQL adds to an error (DETAIL) repeats values of the row, and is left out.
"""

import json
import logging
import re
import time
import traceback
from types import TracebackType
from typing import Any, Final

from squill.lib.context import named

_CROSSED_OUT: Final = (
    (re.compile(r"[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "[address]"),
    (re.compile(r"\bsq_(?:live|test)_\w+"), "[key]"),
    (re.compile(r"(?i)(/sign-in/link/)[^/\s\"'?]+"), r"\1[token]"),
    (
        re.compile(
            r"(?i)((?:sesame|token|password|secret|authorization|x-amz-\w+)[\"']?\s*[=:]\s*[\"']?(?:bearer )?)[^\s\"'&,;]+"
        ),
        r"\1[secret]",
    ),
    (re.compile(r"(?i)(postgres(?:ql)?://[^:/\s]*:)[^@\s]+@"), r"\1[secret]@"),
)
_POSTGRESQL_TELLS: Final = re.compile(r"\n(?:DETAIL|CONTEXT|HINT|LINE \d+):.*", re.DOTALL)


def cross_out(text: str) -> str:
    """
    Cross out what nobody but its owner may read.

    >>> cross_out("Gone: /portal/sign-in/link/AAB3x for ann@acme.example")
    'Gone: /portal/sign-in/link/[token] for [address]'
    >>> cross_out("Authorization: Bearer sq_live_a1b2")
    'Authorization: Bearer [secret]'
    """
    for pattern, instead in _CROSSED_OUT:
        text = pattern.sub(instead, text)
    return text


class Line(logging.Formatter):
    """A line for people, as the format says, with the ids at its end."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and a traceback below it where there is one."""
        ids = " ".join(f"{name}={value}" for name, value in named().items())
        first, *more = super().format(record).split("\n", 1)
        return cross_out("\n".join([f"{first} [{ids}]" if ids else first, *more]))

    def formatException(self, ei: Any) -> str:
        """Return a traceback."""
        return _told(ei)


class Json(logging.Formatter):
    """One JSON object a record: CloudWatch takes each line for an event, and Logs Insights finds its members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object, without a line break in it."""
        at = time.gmtime(record.created)
        members: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', at)}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": cross_out(record.getMessage()),
            **named(),
        }
        members |= getattr(record, "members", {})
        if record.exc_info:
            members["exception"] = cross_out(_told(record.exc_info))
        return json.dumps(members, ensure_ascii=False, default=str)


def _told(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
) -> str:
    told = "".join(traceback.TracebackException(*exc_info).format()) if exc_info[0] is not None else ""
    return "\n".join(_without_details(part) for part in told.rstrip().split("\n\n"))


def _without_details(part: str) -> str:
    return _POSTGRESQL_TELLS.sub("", part)
