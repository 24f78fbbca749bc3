"""Typed access to a catalogue file that was read with its line numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from billing.pricing.members import InvalidMember, read_number
from squill.lib.located import Located, LocatedError, Path
from usage.rollups.filters import Filters, canonical


@dataclass(frozen=True, slots=True)
class Reader:
    """Typed access to a located document; every refusal names line and member."""

    located: Located

    def error(self, path: Path, message: str) -> LocatedError:
        """Return (for raising) what is wrong with a member, with its line."""
        return self.located.error(path, message)

    def get(self, path: Path) -> Any:
        value: Any = self.located.value
        for part in path:
            if isinstance(value, dict):
                value = value.get(str(part))
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                return None
        return value

    def mapping(self, path: Path, *, allowed: set[str] | None = None) -> dict[str, Any]:
        value = self.get(path)
        if not isinstance(value, dict):
            raise self.error(path, _("write an object with named members here"))
        for key in value:
            if allowed is not None and key not in allowed:
                known = ", ".join(sorted(allowed))
                raise self.error((*path, key), _("unknown member: use %(known)s") % {"known": known})
        return value

    def length(self, path: Path, holder: Mapping[str, Any]) -> int:
        value = holder.get(str(path[-1]), [])
        if not isinstance(value, list):
            raise self.error(path, _("write a list here"))
        return len(value)

    def text(self, path: Path, *, default: str | None = None, longest: int = 255) -> str:
        value = self.get(path)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise self.error(path, _("write a text here") if value is not None else _("is missing"))
        if len(value) > longest:
            raise self.error(path, _("is longer than %(longest)d characters") % {"longest": longest})
        return value

    def code(self, path: Path) -> str:
        value = self.text(path, longest=64)
        if not all(character.isalnum() or character in "-_.:" for character in value) or not value.isascii():
            raise self.error(path, _("a code has letters, digits, and - _ . : only"))
        if not value[0].isalnum():  # Squill's own lines have codes that begin with a colon
            raise self.error(path, _("a code must begin with a letter or digit"))
        return value

    def choice(self, path: Path, choices: tuple[str, ...], *, default: str | None = None) -> str:
        value = self.text(path, default=default)
        if value not in choices:
            raise self.error(path, _("write one of %(choices)s") % {"choices": ", ".join(choices)})
        return value

    def words(self, path: Path) -> tuple[str, ...]:
        value = self.get(path)
        if value is None:
            return ()
        if (
            not isinstance(value, list)
            or not all(isinstance(word, str) and word for word in value)
            or len(set(value)) != len(value)
        ):
            raise self.error(path, _("write a list of different names here"))
        return tuple(value)

    def filters(self, path: Path) -> Filters:
        value = self.get(path)
        try:
            return {} if value is None else canonical(value)
        except ValueError as error:
            raise self.error(path, str(error)) from None

    def number(self, path: Path, *, above_zero: bool = False) -> Decimal | None:
        value = self.get(path)
        if value is None:
            return None
        try:
            return read_number(value, path="", error=InvalidMember, above_zero=above_zero)
        except InvalidMember as error:
            raise self.error(path, error.message) from None

    def count(self, path: Path, *, default: int, least: int, most: int) -> int:
        value = self.get(path)
        if value is None:
            return default
        text = value if isinstance(value, str) else ""
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
            wanted = _("write a whole number from %(least)d to %(most)d")
            raise self.error(path, wanted % {"least": least, "most": most})
        return int(text)

    def refuse_repeats(self, codes: list[str], path: Path) -> None:
        for index, code in enumerate(codes):
            if code in codes[:index]:
                raise self.error((*path, index, "code"), _("%(code)s stands twice") % {"code": code})
