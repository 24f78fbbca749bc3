"""
What neither ruff nor import-linter can refuse: inexact arithmetic, vague file names, and size.

The stops are design, not taste: what does not fit a screen is not read, and what is not read is not correct. An exception
needs a line below, with its reason.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from squill.postgres.home import CHECKOUT

PACKAGES = ("squill", "billing", "usage", "customers")
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base"}
MODULE_LINES, FUNCTION_LINES, TABLE_LINES = 400, 70, 150

# path -> why it may be longer
LONG_MODULES: dict[str, str] = {}
# path::name -> why
LONG_FUNCTIONS: dict[str, str] = {}
LONG_TABLES: dict[str, str] = {}
# path -> why it may use an inexact or rounding operation
INEXACT: dict[str, str] = {}


def sources(*packages: str) -> Iterator[Path]:
    """Yield the modules of these packages; migrations are generated, and frozen once released."""
    for package in packages:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def inexact_calls(tree: ast.AST) -> list[str]:
    """Return `line: what` for each float(…), round(…), …quantize(…) and float literal in a module."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in {"float", "round"}:
                found.append(f"{node.lineno}: {called.id}()")
            if isinstance(called, ast.Attribute) and called.attr == "quantize":
                found.append(f"{node.lineno}: .quantize()")
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            found.append(f"{node.lineno}: {node.value!r}")
    return found


def long_functions(tree: ast.AST) -> list[str]:
    """Return the names of functions over the limit; decorators and docstring count, since they are read too."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return [node.name for node in functions if _lines(node) > FUNCTION_LINES]


def long_tables(tree: ast.AST) -> list[str]:
    """Return the names of model classes over the limit: those that have a class Meta or a base called …Model."""
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return [node.name for node in classes if _is_table(node) and _lines(node) > TABLE_LINES]


def _is_table(node: ast.ClassDef) -> bool:
    bases = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
    return any(base.endswith("Model") for base in bases)


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return (node.end_lineno or first) - first + 1


def _named(check: Callable[[ast.AST], list[str]]) -> set[str]:
    return {f"{path.relative_to(CHECKOUT)}::{name}" for path in sources(*PACKAGES) for name in check(ast.parse(path.read_text()))}


def test_money_and_quantities_are_never_inexact() -> None:
    found = {
        str(path.relative_to(CHECKOUT)): calls
        for path in sources("billing", "usage", "customers")
        if (calls := inexact_calls(ast.parse(path.read_text())))
    }
    assert found.keys() == INEXACT.keys(), found


def test_file_names_say_what_is_inside() -> None:
    vague = [
        str(path.relative_to(CHECKOUT)) for path in sources(*PACKAGES, "tests", "infra") if VAGUE_NAMES & {path.stem, *path.parts}
    ]
    assert vague == ["squill/db/base.py"]  # where Django looks for the database that a package is


def test_modules_end_before_they_sprawl() -> None:
    long = {str(path.relative_to(CHECKOUT)) for path in sources(*PACKAGES) if len(path.read_text().splitlines()) > MODULE_LINES}
    assert long == LONG_MODULES.keys()


def test_functions_fit_a_screen() -> None:
    assert _named(long_functions) == LONG_FUNCTIONS.keys()


def test_a_table_is_not_where_the_logic_lives() -> None:
    assert _named(long_tables) == LONG_TABLES.keys()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = float('1')", ["1: float()"]),
        ("x = round(y, 2)", ["1: round()"]),
        ("x = y.quantize(z)", ["1: .quantize()"]),
        ("x = 0.1", ["1: 0.1"]),
        ("x: float = y", []),  # A type that a library asks for makes no number.
        ("x = money.round_to_minor(y, exponent=2)", []),
    ],
)
def test_inexact_arithmetic_is_recognised(source: str, expected: list[str]) -> None:
    assert inexact_calls(ast.parse(source)) == expected


def test_length_is_counted_from_the_first_decorator_to_the_last_line() -> None:
    def function_of(lines: int) -> ast.Module:
        return ast.parse("@decorated\ndef f():\n" + "    x = 1\n" * (lines - 2))

    assert long_functions(function_of(70)) == []
    assert long_functions(function_of(71)) == ["f"]


def test_a_long_table_is_recognised_and_a_long_class_of_another_kind_is_not() -> None:
    body = "    x = 1\n" * 150
    assert long_tables(ast.parse(f"class Invoice(models.Model):\n{body}")) == ["Invoice"]
    assert long_tables(ast.parse(f"class Invoices(ViewSet):\n{body}")) == []
