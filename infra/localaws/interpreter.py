"""
The Python that functions run in: it holds Amazon's runtime interface client, as Lambda's own does, and nothing else.

A function that leans on a package of the developer's environment fails here as it would fail on Lambda.
"""

import fcntl
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from infra.localaws import names

# Amazon's client and what it needs.
_PACKAGES: Final = ("awslambdaric", "simplejson", "snapshot-restore-py")


def make_interpreter(folder: Path) -> Path:
    """
    Make the interpreter's folder unless it is there and up to date; return its python.

    :raises metadata.PackageNotFoundError: if awslambdaric is not installed: make setup
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want it at once
        _bring_up_to_date(folder)
    return folder / "bin" / "python"


def _bring_up_to_date(folder: Path) -> None:
    stamp = folder / "made-of"
    versions = " ".join(f"{name}-{metadata.version(name)}" for name in _PACKAGES)
    # Python imports a module of the name sitecustomize by itself when it starts.
    network = Path(names.__file__).read_text()
    made_of = f"{sys.executable} {sys.version} {versions}\n{network}"
    site_packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    if stamp.is_file() and stamp.read_text() == made_of:
        return
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    for name in _PACKAGES:
        _copy_package(name, site_packages)
    (site_packages / "sitecustomize.py").write_text(network)
    stamp.write_text(made_of)


def _copy_package(name: str, site_packages: Path) -> None:
    for file in metadata.distribution(name).files or ():
        if ".." not in file.parts and "__pycache__" not in file.parts:
            target = site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
