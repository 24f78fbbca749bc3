"""docs/operations.md lists every variable that Squill reads from the environment, with its default, and no other."""

import ast
import re
from collections.abc import Iterator

from squill.postgres.home import CHECKOUT

DOC = CHECKOUT / "docs" / "operations.md"
# "_VARIABLE = …" names a variable for several readers.
READERS = {"text", "boolean", "integer", "words", "one_of"}


def _sources() -> Iterator[ast.Module]:
    for folder in ("squill", "squill/aws", "squill/lib", "squill/postgres"):
        for path in sorted((CHECKOUT / folder).glob("*.py")):
            if path.name != "env.py":
                yield ast.parse(path.read_text(encoding="utf-8"))


def _is_reader(called: ast.expr) -> bool:
    """Recognise env.text(…), os.environ.get(…) and os.getenv(…)."""
    if not isinstance(called, ast.Attribute):
        return False
    owner = ast.unparse(called.value)
    return (owner == "env" and called.attr in READERS) or (owner, called.attr) in {("os.environ", "get"), ("os", "getenv")}


def read_in_source() -> dict[str, list[ast.Call]]:
    """Return the calls that read each variable."""
    found: dict[str, list[ast.Call]] = {}
    for tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_reader(node.func) and isinstance(node.args[0], ast.Constant):
                found.setdefault(str(node.args[0].value), []).append(node)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant):
                if node.targets[0].id.endswith("_VARIABLE"):
                    found.setdefault(str(node.value.value), [])
    return found


def documented() -> dict[str, str]:
    """Return the default that the page gives for each variable."""
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]*)` \| ([^|]*) \|", DOC.read_text(encoding="utf-8"), re.MULTILINE)
    assert len({name for name, _default in rows}) == len(rows), "a variable is listed twice"
    return dict(rows)


def _literal_default(call: ast.Call) -> str | None:
    given = next((word.value for word in call.keywords if word.arg == "default"), call.args[1] if len(call.args) == 2 else None)
    if not isinstance(given, ast.Constant):
        return None
    return str(given.value).lower() if isinstance(given.value, bool) else str(given.value)


def test_every_variable_is_listed_and_no_other() -> None:
    assert sorted(documented()) == sorted(read_in_source())


def test_defaults_are_those_of_the_source() -> None:
    listed = documented()
    wrong = {
        name: (listed[name], default)
        for name, calls in read_in_source().items()
        for call in calls
        if (default := _literal_default(call)) and f"`{default}`" not in listed[name]
    }
    assert wrong == {}
