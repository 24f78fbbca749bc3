"""The package that Lambda runs, made once for all tests that need it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.package.places import BUILD, CHECKOUT
from tests.tools import require_tool


@pytest.fixture(scope="session")
def package_zip() -> Path:
    """
    The package of the stage dev, as zappa writes it: 50 s where nothing is kept of an earlier one, then three.

    Workers that ask at once wait for each other (the command locks what it makes).
    """
    require_tool("apt-get")
    require_tool("dpkg-deb")
    command = [sys.executable, "-m", "infra.package", "dev"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return BUILD / "squill-dev.zip"


@pytest.fixture(scope="session")
def package_tree(package_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked as Lambda does; 200 MB, to be read only."""
    tree = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(package_zip) as archive:
        archive.extractall(tree)
    return tree
