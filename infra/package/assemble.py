"""
The base of every stage's package: Python packages, native libraries, project and static files.

What zappa writes for a stage comes on top (infra/package/hooks.py). Each part is kept under the hash of what it is made of: the
same inputs give the same bytes, and a change of the project alone takes seconds.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from infra.package import archive, checks, native, project, runtime
from infra.package.places import CACHE, CHECKOUT, PackageError, digest, only_one_at_a_time

# So many of each part are kept, so that going to another branch and back is quick: some 200 MB for each set of Python packages.
_KEPT: Final = 2


def base() -> Path:
    """
    Return the zip of the base, which has passed its checks; made anew if anything that it is made of has changed.

    :raises PackageError: if it cannot be made, or a check fails
    """
    with only_one_at_a_time():
        made = CACHE / f"base-{_key()}.zip"
        if made.exists():
            made.touch()
            return made
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as folder:
            tree = Path(folder) / "tree"
            _assemble(tree)
            fresh = Path(folder) / "base.zip"
            _zip(tree, fresh)
            refuse(checks.problems(fresh, checks.OF_THE_BASE))
            fresh.rename(made)
        _forget_old_ones()
        return made


def refuse(problems: list[str]) -> None:
    """:raises PackageError: if there are any problems; the message names them all"""
    if problems:
        raise PackageError("The package must not be deployed:\n" + "\n".join(f"- {problem}" for problem in problems))


def _key() -> str:
    parts = [str(path).encode() + b"\0" + (CHECKOUT / path).read_bytes() for path in project.sources()]
    parts += [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    parts += [runtime.LOCK.read_bytes(), (Path(__file__).parent / "packages.lock").read_bytes()]
    return digest(parts)


def _assemble(tree: Path) -> None:
    # Links to the kept files, which nobody writes to: copying 150 MB would take longer than all the rest.
    shutil.copytree(runtime.packages(), tree, copy_function=os.link)
    native.copy_into(tree)
    ours = tree.parent / "project"
    project.copy_into(ours)
    runtime.compile_all(ours)
    shutil.copytree(ours, tree, dirs_exist_ok=True)
    project.collect_static(tree)


def _zip(tree: Path, target: Path) -> None:
    """Write the tree's zip. The Python packages, which rarely change and are most of it, are compressed once."""
    packages = runtime.packages()
    kept = CACHE / f"{packages.name}.zip"
    if kept.exists():
        kept.touch()
    else:
        fresh = target.with_name("packages.zip")
        archive.write(fresh, packages)
        fresh.rename(kept)
    files = (path for path in sorted(tree.rglob("*")) if path.is_file())
    names = {path.relative_to(tree).as_posix(): path for path in files}
    ours = {name: path.read_bytes() for name, path in names.items() if not (packages / name).exists()}
    archive.extend(target, kept, ours)


def _forget_old_ones() -> None:
    for kind in ("base", "native", "packages"):
        for suffix in ("", ".zip"):
            found = [path for path in CACHE.glob(f"{kind}-*") if path.suffix == suffix]
            found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            for path in found[_KEPT:]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
