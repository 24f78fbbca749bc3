"""What is being worked on, for whoever writes a line about it: the request, the run, the invoice. Ids only, never a person."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_EMPTY: Mapping[str, str] = {}
_working_on: ContextVar[Mapping[str, str]] = ContextVar("squill_working_on", default=_EMPTY)


@contextmanager
def working_on(**ids: object) -> Iterator[None]:
    """
    Within the block, name these ids on every line of the log; those that are None or empty are left out.

    >>> with working_on(run_id=7), working_on(invoice_id=12, trace_id=None):
    ...     print(dict(named()))
    {'run_id': '7', 'invoice_id': '12'}
    """
    more = {name: str(value) for name, value in ids.items() if value not in (None, "")}
    token = _working_on.set({**_working_on.get(), **more})
    try:
        yield
    finally:
        _working_on.reset(token)


def named() -> Mapping[str, str]:
    """Return the ids of what is being worked on here."""
    return _working_on.get()
