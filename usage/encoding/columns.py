"""
Columns for `unnest`, each handed to PostgreSQL as one text.

Adapting Python lists costs psycopg seven times the CPU of the statement itself. The separator is a control character, which
no JSON text and no printable text can hold, so nothing needs to be escaped; SQL takes a column apart by
string_to_array(…, chr(30), ''), where an empty element stands for NULL.
"""

from collections.abc import Iterable
from typing import Final

SEPARATOR: Final = "\x1e"


def column(values: Iterable[str]) -> str:
    """Join the values of one column: printable texts, JSON, digests, ISO dates or numbers; empty stands for NULL."""
    return SEPARATOR.join(values)


def numbers(values: Iterable[int]) -> str:
    """Join whole numbers as an array literal."""
    return "{" + repr(list(values))[1:-1] + "}"
