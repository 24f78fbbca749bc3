"""The project's own files that run on Lambda: named one by one, so that nothing else of a checkout can slip in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.package.places import CHECKOUT, PackageError

FILES: Final = ("LICENSE", "manage.py")
PACKAGES: Final = ("billing", "customers", "squill", "templates", "usage")
# Where collectstatic puts what the portal and the admin look like; SQUILL_STATIC_ROOT names it on Lambda.
STATIC: Final = "static"
_LEFT_OUT: Final = (".po", ".pot", ".pyc", ".md")


def sources() -> Iterator[Path]:
    """Yield the files that belong to the package, relative to the checkout, in order."""
    for name in FILES:
        yield Path(name)
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(CHECKOUT).parts)
            if path.is_file() and path.suffix not in _LEFT_OUT and not hidden:
                yield path.relative_to(CHECKOUT)


def copy_into(tree: Path) -> None:
    """Copy the project into the tree."""
    for path in sources():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / path, tree / path)


def collect_static(tree: Path) -> None:
    """
    Gather the static files in the tree, so that the portal and the admin need no other service for their looks.

    Done by the package itself, without the environment that builds it: what cannot start here would not on Lambda.

    :raises PackageError: if it cannot be done
    """
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SQUILL_STATIC_ROOT": str(tree / STATIC),
    }
    command = [sys.executable, "-S", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    done = subprocess.run(command, cwd=tree, env=environment, check=False)
    if done.returncode:
        raise PackageError("The package cannot gather its static files: see above")
