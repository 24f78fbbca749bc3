"""When the base is made anew, and what becomes of one that must not be deployed."""

from pathlib import Path

import pytest

from infra.package import archive, assemble, checks, project
from infra.package.places import PackageError


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The trees that were assembled; each holds one small file, and a checkout of one file is what they are made of."""
    trees: list[Path] = []

    def assembled(tree: Path) -> None:
        trees.append(tree)
        tree.mkdir()
        (tree / "manage.py").write_text("print()")

    (tmp_path / "manage.py").write_text("one")
    monkeypatch.setattr(assemble, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(assemble, "CHECKOUT", tmp_path)
    monkeypatch.setattr(project, "sources", lambda: iter([Path("manage.py")]))
    monkeypatch.setattr(assemble, "_assemble", assembled)
    monkeypatch.setattr(assemble, "_zip", lambda tree, target: archive.write(target, tree))
    return trees


def test_what_has_not_changed_is_not_made_again(made: list[Path]) -> None:
    assert assemble.base() == assemble.base()
    assert len(made) == 1


def test_a_changed_file_makes_another_base(made: list[Path], tmp_path: Path) -> None:
    first = assemble.base()
    (tmp_path / "manage.py").write_text("two")

    assert assemble.base() != first
    assert len(made) == 2


def test_a_base_that_fails_a_check_is_not_kept(made: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OF_THE_BASE", (lambda _archive: ["lib/libx.so.1 needs GLIBC 2.36"],))

    for _twice in range(2):
        with pytest.raises(PackageError, match=r"must not be deployed:\n- lib/libx\.so\.1 needs GLIBC 2\.36"):
            assemble.base()

    assert len(made) == 2


def test_old_bases_are_forgotten(made: list[Path], tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / "manage.py").write_text(str(number))
        newest = assemble.base()

    kept = list((tmp_path / "cache").glob("base-*.zip"))
    assert len(kept) == 2
    assert newest in kept
