"""Changes single values in the text of a JSON file, and leaves every other letter of it as somebody wrote it."""

import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs leave it out
from typing import Any, Final

_SPACE: Final = re.compile(r"\s*")
_DECODER: Final = json.JSONDecoder()


def put(text: str, path: tuple[str, ...], value: Any) -> str:
    """
    Return the text with the value at the path of members; a member that is not there is added as the first of its object.

    What means the same already is not touched.

    :raises KeyError: if the object that is to hold the member is not there
    """
    *way, last = path
    start = _after_space(text, 0)
    for name in way:
        start = _members(text, start)[name][0]
    if text[start] != "{":
        raise KeyError(way[-1])
    members = _members(text, start)
    if last in members:
        begin, end = members[last]
        return text if json.loads(text[begin:end]) == value else text[:begin] + json.dumps(value) + text[end:]
    first = _after_space(text, start + 1)
    added = f"{json.dumps(last)}: {json.dumps(value)}"
    # The new member goes on a line of its own where the others do.
    return text[:first] + added + ("," + (text[start + 1 : first] or " ") if members else "") + text[first:]


def _members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """Return where the value of each member of the object at `start` begins and ends."""
    return {name: (begin, end) for name, begin, end in _walk(text, start)}


def _walk(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    at = _after_space(text, start + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1)
        begin = _after_space(text, _after_space(text, at) + 1)  # over the colon
        _value, end = _DECODER.raw_decode(text, begin)
        yield name, begin, end
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
