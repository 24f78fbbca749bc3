"""
Where zappa and this package meet: two functions that zappa calls at every deploy, update and package (zappa_settings.json).

Left alone, zappa zips the active environment and the current folder, with all tools and tests, and differently each time. Here
it finds both empty, adds what is its own (its handler and the settings of the stage), and the rest is put beside that. So plain
`zappa deploy dev` deploys the checked package, and `zappa package dev` writes the same bytes for the same inputs.
"""

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

# Zappa loads this file by its path, so that the checkout need not be on Python's path.
_CHECKOUT: Final = str(Path(__file__).resolve().parents[2])
if _CHECKOUT not in sys.path:
    sys.path.insert(0, _CHECKOUT)

from infra.package import archive, assemble, checks  # noqa: E402 (needs the path above)
from infra.package.places import CACHE, PackageError  # noqa: E402

# Who built it, when, and a random number; nothing reads it, and no two packages would be equal.
_NOT_WANTED: Final = "package_info.json"


class ZappaCommand(Protocol):
    """The part of zappa's command line that is used."""

    zip_path: str


def prepare() -> None:
    """Make the base, then show zappa an empty project and an empty environment (setting `prebuild_script`)."""
    _told(assemble.base)
    empty = Path(tempfile.mkdtemp(prefix="empty-", dir=CACHE))
    packages = empty / "environment" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    packages.mkdir(parents=True)
    (empty / "project").mkdir()
    os.environ["VIRTUAL_ENV"] = str(empty / "environment")
    os.chdir(empty / "project")


def complete(command: ZappaCommand) -> None:
    """Put the base into the zip that zappa has written, check it, and go back to the checkout (setting `callbacks.zip`)."""
    empty, written = Path.cwd().parent, Path(command.zip_path).absolute()
    with zipfile.ZipFile(written) as zappas:
        own = {name: zappas.read(name) for name in zappas.namelist() if name != _NOT_WANTED}
    os.chdir(_CHECKOUT)
    target = Path(command.zip_path).absolute()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        _told(lambda: _make(fresh, own))
        written.unlink()
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
        shutil.rmtree(empty)


def _make(target: Path, zappas_own: dict[str, bytes]) -> None:
    archive.extend(target, assemble.base(), zappas_own)
    assemble.refuse(checks.problems(target, checks.OF_EACH))


def _told(work: Callable[[], object]) -> None:
    # Zappa prints an exception with its whole traceback; what is wrong is a sentence.
    try:
        work()
    except PackageError as error:
        sys.exit(str(error))
