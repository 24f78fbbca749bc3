"""Strict reading of the members of a JSON object: no unknown members, no floats, every error names its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from squill.lib.decimals import plain

# One bound for every number that comes from outside: 15 digits before the point and 12 after it.
LIMIT: Final = Decimal(10) ** 15
PLACES: Final = 12
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?")
_SHOWN: Final = 60  # characters of a bad value that a message repeats


@dataclass(frozen=True, slots=True)
class BareNumber:
    """A JSON number with a point or an exponent, kept as it was written so that it can be refused where it stands."""

    text: str

    def __repr__(self) -> str:
        return self.text


class InvalidMember(ValueError):
    """
    Something written in a charge or a document cannot be used. `path` says where, `message` what to do.

    A path reads like code: `lines[0].charge.tiers[1].up_to`; it is empty for the document itself.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


class Members:
    """
    The members of one JSON object, taken one by one; `close` refuses what nobody took.

    :raises InvalidMember: (the class given as `error`) at the first member that cannot be used
    """

    def __init__(self, value: object, *, path: str, error: type[InvalidMember]) -> None:
        if not isinstance(value, Mapping):
            raise error(path, f"must be an object, got {shown(value)}")
        self._values: Mapping[object, object] = value
        self._taken: set[object] = set()
        self._path = path
        self._error = error

    def path(self, name: str) -> str:
        """Return the path of a member."""
        return f"{self._path}.{name}" if self._path else name

    def fail(self, name: str, message: str) -> InvalidMember:
        """Return (for raising) an error about a member."""
        return self._error(self.path(name), message)

    def has(self, name: str) -> bool:
        """Say whether the member is there and not null."""
        return self._values.get(name) is not None

    def take(self, name: str) -> object:
        """Return the member as it stands, None if it is missing or null."""
        self._taken.add(name)
        return self._values.get(name)

    def close(self, *, known: str) -> None:
        """Refuse members that nobody took. `known` ends the message: what this object may have."""
        unknown = [name for name in self._values if name not in self._taken]
        if unknown:
            takes = ", ".join(sorted(map(str, self._taken)))
            raise self.fail(str(unknown[0])[:_SHOWN], f"unknown member: {known} takes {takes}")

    def number(self, name: str, *, above_zero: bool = False, at_most: Decimal | None = None) -> Decimal:
        """Return a number of zero or more that must be there."""
        value = self.optional_number(name, above_zero=above_zero, at_most=at_most)
        if value is None:
            raise self.fail(name, 'is missing: give a decimal string such as "0.25"')
        return value

    def optional_number(self, name: str, *, above_zero: bool = False, at_most: Decimal | None = None) -> Decimal | None:
        """Return a number of zero or more, None if it is missing or null."""
        value = self.take(name)
        if value is None:
            return None
        return read_number(value, path=self.path(name), error=self._error, above_zero=above_zero, at_most=at_most)

    def percent(self, name: str) -> Decimal:
        """Return a percentage from 0 to 100 that must be there."""
        return self.number(name, at_most=Decimal(100))

    def count(self, name: str) -> int:
        """Return a whole number of zero or more, zero if it is missing."""
        value = self.optional_number(name)
        if value is None:
            return 0
        if value != int(value):
            raise self.fail(name, f"must be a whole number, got {value}")
        return int(value)

    def text(self, name: str) -> str:
        """Return a non-empty string of at most 255 characters that must be there."""
        value = self.take(name)
        if value is None:
            raise self.fail(name, "is missing: give a text")
        if not isinstance(value, str) or not 0 < len(value) <= 255:
            raise self.fail(name, f"must be a text of 1 to 255 characters, got {shown(value)}")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return one of the choices, None if the member is missing or null."""
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, str) or value not in choices:
            raise self.fail(name, f"must be one of {', '.join(choices)}, got {shown(value)}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.take(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fail(name, f"must be true or false, got {shown(value)}")
        return value

    def items(self, name: str) -> list[tuple[str, object]]:
        """Return the items of a list with their paths, none if the list is missing or null."""
        value = self.take(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise self.fail(name, f"must be a list, got {shown(value)}")
        return [(f"{self.path(name)}[{index}]", item) for index, item in enumerate(value)]

    def objects(self, name: str) -> list["Members"]:
        """Return the objects of a list, none if the list is missing or null."""
        return [Members(item, path=path, error=self._error) for path, item in self.items(name)]


def read_number(
    value: object,
    *,
    path: str,
    error: type[InvalidMember],
    above_zero: bool = False,
    at_most: Decimal | None = None,
) -> Decimal:
    """
    Read a decimal string, an integer or a Decimal: zero or more, below 10^15, at most 12 decimals.

    :raises InvalidMember: (the class given as `error`) for anything else, floats before all
    """
    number = _parse(value, path, error)
    if number.copy_abs() >= LIMIT:
        raise error(path, f"must be below 10^15, got {shown(value)}")
    if len(plain(number).partition(".")[2]) > PLACES:
        raise error(path, f"must have at most {PLACES} decimals, got {shown(value)}")
    if number < 0:
        raise error(path, f"must be zero or more, got {shown(value)}: write reductions as discounts or credit notes")
    if above_zero and number == 0:
        raise error(path, "must be more than zero")
    if at_most is not None and number > at_most:
        raise error(path, f"must be at most {at_most}, got {shown(value)}")
    return number or Decimal(0)


def _parse(value: object, path: str, error: type[InvalidMember]) -> Decimal:
    if isinstance(value, float | BareNumber) and _NUMBER.fullmatch(repr(value)):
        raise error(path, f'is a binary number, which is not exact: write it as a string, "{value!r}"')
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return value
    raise error(path, f'must be a decimal string such as "0.25", got {shown(value)}')


def shown(value: object) -> str:
    """Return a bad value for a message, short and in JSON's words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, int) and abs(value) >= LIMIT:
        return "a very large number"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
