"""YAML and JSON with line numbers: files that people write get errors that say where."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]
# Deeper than anything that people write, and far from Python's own limit; more members than that are aliases of aliases.
_MOST_LEVELS = 40
_MOST_MEMBERS = 200_000
type Value = str | bool | list[Value] | dict[str, Value] | None


class LocatedError(ValueError):
    """A file cannot be used: `line` counts from 1, `path` names the member, the message says what to do."""

    def __init__(self, message: str, *, line: int, path: str = "") -> None:
        super().__init__(f"line {line}: {path + ': ' if path else ''}{message}")
        self.line = line
        self.path = path
        self.message = message


@dataclass(frozen=True, slots=True)
class Located:
    """A document as plain values, and the line of each of its members."""

    value: Value
    lines: dict[Path, int] = field(default_factory=dict)

    def error(self, path: Path, message: str) -> LocatedError:
        """Return the error for a member; a missing one is reported at the line of what should hold it."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        return LocatedError(message, line=self.lines.get(known, 1), path=path_text(path))


def path_text(path: Path) -> str:
    """
    Write a path as people read it.

    >>> path_text(("plans", 0, "charges", 2, "tiers"))
    'plans[0].charges[2].tiers'
    """
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_located(text: str) -> Located:
    """
    Read one YAML or JSON document. Numbers stay the text that was written, so that no digit is lost.

    :raises LocatedError: if it is neither, a key stands twice, or it is nested too deep
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        pass
    else:
        text = text.replace("\t", " ")  # JSON allows tabs between tokens, YAML does not; inside strings both forbid them
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise LocatedError(f"not YAML or JSON: {error.problem}", line=mark.line + 1 if mark else 1) from None
    except yaml.reader.ReaderError as error:
        raise LocatedError(f"not text: {error.reason}", line=1) from None
    except RecursionError:
        raise LocatedError("is nested too deep", line=1) from None
    lines: dict[Path, int] = {}
    value = None if node is None else _convert(node, (), lines)
    return Located(value, lines)


def _convert(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Value:
    lines[path] = node.start_mark.line + 1
    if len(path) > _MOST_LEVELS:
        raise LocatedError("is nested too deep, or contains itself", line=lines[path])
    if len(lines) > _MOST_MEMBERS:
        raise LocatedError("has too many members: aliases multiply them", line=lines[path])
    if isinstance(node, yaml.MappingNode):
        members: dict[str, Value] = {}
        for key, line, member in _members(node):
            if key in members:
                raise LocatedError(f"{key!r} stands twice", line=line, path=path_text((*path, key)))
            members[key] = _convert(member, (*path, key), lines)
            lines[(*path, key)] = line  # of the name, which is where people look
        return members
    if isinstance(node, yaml.SequenceNode):
        return [_convert(item, (*path, index), lines) for index, item in enumerate(node.value)]
    return _scalar(node)


def _members(node: yaml.MappingNode) -> Iterator[tuple[str, int, yaml.Node]]:
    for key, member in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise LocatedError("a key must be a word", line=key.start_mark.line + 1)
        yield str(key.value), key.start_mark.line + 1, member


def _scalar(node: yaml.Node) -> Value:
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return str(node.value).lower() in ("true", "yes", "on")
    # A surrogate pair that JSON wrote as two escapes is one character.
    return str(node.value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
