"""How JSON comes in: strictly, exactly, and never deep or large enough to hurt."""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any, Final, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

# Nothing that the API takes is nested half as deep.
MAX_DEPTH: Final = 64
# A number with more digits, or an exponent beyond, is a mistake or an attack; every column holds less.
MAX_DIGITS: Final = 100


class StrictJSONParser(BaseParser):
    """
    Read a JSON body as RFC 8259 has it, and refuse what most parsers let pass.

    Numbers with a point become exact Decimals. Refused with 400: duplicate members, NaN and Infinity, numbers of more than 100
    digits, nesting deeper than 64, NUL characters, and half surrogate pairs (PostgreSQL stores neither).
    """

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """
        Return the document.

        :raises ParseError: saying what is wrong, and where if it is known
        """
        return parse_json(stream.read())


def parse_json(body: bytes) -> Any:
    """
    Return the JSON document in the bytes, as StrictJSONParser describes.

    :raises ParseError: saying what is wrong, and where if it is known
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(_("The body is not UTF-8 (byte %(position)d).") % {"position": error.start}) from None
    try:
        document = json.loads(
            text,
            parse_float=_exact,
            parse_int=_whole,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_duplicates,
        )
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno, "message": error.msg}
        raise ParseError(_("The body is not JSON: %(message)s (line %(line)d, column %(column)d).") % place) from None
    except RecursionError:
        raise _too_deep() from None
    _check_values(document)
    return document


def _exact(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal itself can hold
        _refuse_long_number()
    if (number and abs(number.adjusted()) > MAX_DIGITS) or len(text) > 2 * MAX_DIGITS:
        _refuse_long_number()
    return number


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        _refuse_long_number()
    return int(text)


def _refuse_long_number() -> NoReturn:
    raise ParseError(_("The body has a number of more than %(digits)d digits.") % {"digits": MAX_DIGITS})


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(_("The body has %(name)s, which is not a JSON number.") % {"name": name})


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise ParseError(_("The body has the member %(name)s twice in one object.") % {"name": ascii(twice)})
    return members


def _check_values(document: Any) -> None:
    """Look at every text and the depth, without recursion."""
    level = [document]
    for _depth in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict):
                for name in value:
                    _check_text(name)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        if not below:
            return
        level = below
    raise _too_deep()


def _check_text(text: str) -> None:
    if "\0" in text:
        raise ParseError(_("The body has a text with a NUL character, which cannot be stored."))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ParseError(_("The body has a text with half a surrogate pair, which is not a character.")) from None


def _too_deep() -> ParseError:
    return ParseError(_("The body is nested deeper than %(depth)d levels.") % {"depth": MAX_DEPTH})
