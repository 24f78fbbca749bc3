"""What the documents point to is there: files, headings, tests, and the constraints that keep the invariants."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from squill.postgres.home import CHECKOUT

FOLDERS = (
    "",
    "docs",
    "docs/adr",
    "billing",
    "customers",
    "usage",
    "infra",
    "infra/localaws",
    "infra/package",
    "infra/stack",
    "benchmarks",
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (CHECKOUT / folder).glob("*.md"))


def _name(page: Path) -> str:
    return str(page.relative_to(CHECKOUT))


def prose(page: Path) -> str:
    """Return the page without its blocks of code, whose brackets are no links."""
    return re.sub(r"^( *)```.*?^\1```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        if not found.exists() or (anchor and anchor not in anchors(found)):
            yield target


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_relative_links_resolve(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", pages(), ids=_name)
def test_tests_that_are_named_exist(page: Path) -> None:
    text = prose(page)
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    names = set(re.findall(r"`(?:Test\w+\.)?(test_\w+)`", text))
    defined = {name for path in (CHECKOUT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    assert sorted(file for file in files if not (CHECKOUT / file).exists()) == []
    assert sorted(names - defined) == []


def test_constraints_and_triggers_of_the_invariants_exist() -> None:
    table = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Invariants")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (I\d+) [^|]*\| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", table, re.MULTILINE)
    assert [row[0] for row in rows] == [f"I{number}" for number in range(1, 13)]
    source = "\n".join(
        path.read_text() for package in ("billing", "usage", "customers") for path in (CHECKOUT / package).rglob("*.py")
    )
    kept_by = {word for row in rows for cell in (row[1], row[3]) for word in re.findall(r"`([\w.]+)`", cell)}
    assert sorted(word for word in kept_by if word not in source) == []


def test_every_decision_is_in_the_index() -> None:
    decisions = {path.name for path in (CHECKOUT / "docs/adr").glob("[0-9]*.md")}
    assert decisions == set(re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (CHECKOUT / "docs/adr/README.md").read_text()))


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# Old & new words\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#old--new-words) [c](https://example.com/x)\n[d](gone.md) ![e](gone.png) [f](there.md#other)\n"
        "```\n[g](in-code.md)\n```\n"
    )
    assert list(broken_links(page)) == ["gone.md", "gone.png", "there.md#other"]
