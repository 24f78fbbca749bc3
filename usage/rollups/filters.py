"""
Which events a meter counts: conditions on members of their data, all of which must hold.

`{"status": {"in": ["200", "204"]}, "bytes": {"gte": "1024"}, "test": {"exists": false}}`. A text, number or truth value is
compared as its text, as a dimension is; gt, gte, lt and lte compare numbers, and texts that are numbers.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _

from squill.lib.decimals import plain
from usage.encoding import exact_json, numbers

MOST_CONDITIONS: Final = 10
_MOST_CHOICES: Final = 100
_LONGEST: Final = 255  # characters of a member's path and of a text to compare with
_TEXTS: Final = frozenset({"equals", "not_equals"})
_CHOICES: Final = frozenset({"in", "not_in"})
_ORDERS: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    "gt": lambda sent, bound: sent > bound,
    "gte": lambda sent, bound: sent >= bound,
    "lt": lambda sent, bound: sent < bound,
    "lte": lambda sent, bound: sent <= bound,
}
OPERATORS: Final = (*sorted(_TEXTS), *sorted(_CHOICES), "exists", *_ORDERS)

type Filters = dict[str, dict[str, Any]]  # canonical: texts, lists of texts, decimals as texts, true or false


class Condition(NamedTuple):
    """One condition, ready to be asked."""

    path: str
    operator: str
    operand: Any  # a text, a frozenset of texts, a Decimal or a bool


def member(data: Mapping[str, Any], path: str) -> Any:
    """Return the member that a path names, None if there is none. A name that holds dots itself goes before the path."""
    if path in data:
        return data[path]
    found: Any = data
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def text_of(sent: Any) -> str | None:
    """Return a text as it is, a number in plain notation, a truth value as JSON; None for null, objects and lists."""
    if type(sent) is str:
        return sent
    if isinstance(sent, Decimal):
        return plain(sent)
    return None if sent is None or isinstance(sent, dict | list) else exact_json.encode(sent).decode()


def number_of(sent: Any) -> Decimal | None:
    """Return a JSON number, or a text that is one, exactly; None for all else."""
    if type(sent) is str:
        return numbers.exact(sent)
    if type(sent) is int:
        return Decimal(sent)
    return sent if isinstance(sent, Decimal) else None


def conditions_of(filters: Filters) -> tuple[Condition, ...]:
    """Return the conditions of canonical filters."""
    found = []
    for path, asked in filters.items():
        for operator, operand in asked.items():
            if operator in _CHOICES:
                operand = frozenset(operand)
            elif operator in _ORDERS:
                operand = Decimal(operand)
            found.append(Condition(path, operator, operand))
    return tuple(found)


def passes(conditions: tuple[Condition, ...], data: Mapping[str, Any]) -> bool:
    """Say whether the data meets all conditions. What is missing equals nothing and is in no list."""
    return all(_holds(condition, member(data, condition.path)) for condition in conditions)


def _holds(condition: Condition, sent: Any) -> bool:
    operator = condition.operator
    if operator == "exists":
        return (sent is not None) is condition.operand
    if operator in _ORDERS:
        number = number_of(sent)
        return number is not None and _ORDERS[operator](number, condition.operand)
    text = text_of(sent)
    if operator in _CHOICES:
        return (text in condition.operand) is (operator == "in")
    return (text == condition.operand) is (operator == "equals")


def canonical(sent: object) -> Filters:
    """
    Return filters in their one spelling: members and operators sorted, numbers as plain texts.

    :raises ValueError: saying what cannot be used, for a person
    """
    if not isinstance(sent, Mapping):
        raise ValueError(_('must be an object, such as {"status": {"in": ["200", "204"]}}'))
    if sum(len(asked) if isinstance(asked, Mapping) else 1 for asked in sent.values()) > MOST_CONDITIONS:
        raise ValueError(_("at most %(most)d conditions") % {"most": MOST_CONDITIONS})
    filters: Filters = {}
    for path in sorted(sent, key=str):
        asked = sent[path]
        if not isinstance(path, str) or not 0 < len(path) <= _LONGEST or not path.isprintable():
            raise ValueError(_("each must name a member of data by a printable text"))
        if not isinstance(asked, Mapping) or not asked:
            raise ValueError(_('%(member)s: must be an object, such as {"equals": "eu"}') % {"member": path})
        filters[path] = {str(operator): _operand(path, str(operator), asked[operator]) for operator in sorted(asked, key=str)}
    return filters


def _operand(path: str, operator: str, sent: object) -> Any:
    where = {"member": path, "operator": operator}
    if operator == "exists":
        if not isinstance(sent, bool):
            raise ValueError(_("%(member)s.%(operator)s: must be true or false") % where)
        return sent
    if operator in _ORDERS:
        number = number_of(sent)
        if number is None:
            raise ValueError(_('%(member)s.%(operator)s: must be a number, such as "1024"') % where)
        return plain(number)
    if operator in _TEXTS:
        return _text(where, sent)
    if operator in _CHOICES:
        if not isinstance(sent, list | tuple) or not 0 < len(sent) <= _MOST_CHOICES:
            raise ValueError(
                _("%(member)s.%(operator)s: must be a list of 1 to %(most)s texts") % (where | {"most": str(_MOST_CHOICES)})
            )
        return sorted({_text(where, each) for each in sent})
    raise ValueError(_("%(member)s: %(operator)s is none of %(known)s") % (where | {"known": ", ".join(OPERATORS)}))


def _text(where: Mapping[str, str], sent: object) -> str:
    text = text_of(sent)
    if text is None or len(text) > _LONGEST or "\0" in text:
        raise ValueError(_("%(member)s.%(operator)s: must be a text, a number, true or false") % where)
    return text
