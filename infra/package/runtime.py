"""
The Python packages that run on Lambda: requirements.txt, hash by hash, as wheels for x86_64 Linux, trimmed and compiled.

What is left out and why is written here, since every line saves time at each cold start or room below Lambda's limit.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from infra.package.places import CACHE, CHECKOUT, PYTHON, TASK_ROOT, PackageError, digest

LOCK: Final = CHECKOUT / "requirements.txt"
# Only zappa's command line imports them; its handler on Lambda does not (a test starts it from the package).
COMMAND_LINE_ONLY: Final = frozenset(
    {"argcomplete", "cfn-flip", "hjson", "pip", "placebo", "python-slugify", "setuptools", "toml", "troposphere", "wheel"}
)
# boto3 describes each of 400 services of AWS in a file. Those that Squill, django-ses, zappa's handler and boto3 itself may ask:
# a client for another one raises UnknownServiceError, and a test compares this list with the code.
KEPT_SERVICES: Final = frozenset(
    {
        "cloudwatch",
        "dynamodb",
        "events",
        "kms",
        "lambda",
        "logs",
        "s3",
        "secretsmanager",
        "ses",
        "sesv2",
        "sns",
        "sqs",
        "ssm",
        "sso",
        "sso-oidc",
        "sts",
        "xray",
    }
)
# Sources of what is compiled already, and stubs.
_NEEDLESS_SUFFIXES: Final = (".po", ".pot", ".c", ".h", ".pyx", ".pxd", ".pyi")
_NEEDLESS_FILES: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", ".lock", "examples-1.json")


def packages() -> Path:
    """
    Return a folder with the packages, as site-packages would hold them; made anew when requirements.txt has changed.

    :raises PackageError: if they cannot be installed, or this Python is not Lambda's
    """
    if sys.version_info[:2] != PYTHON:
        wanted = ".".join(str(part) for part in PYTHON)
        raise PackageError(f"Lambda runs Python {wanted}: run this with it too (`make setup` takes it where it is installed)")
    made = CACHE / f"packages-{digest([LOCK.read_bytes(), Path(__file__).read_bytes()])}"
    if made.exists():
        made.touch()
        return made
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="installing-", dir=CACHE) as folder:
        target = Path(folder) / "packages"
        _install(without_command_line(LOCK.read_text(encoding="utf-8")), target)
        trim(target)
        compile_all(target)
        target.rename(made)
    return made


def without_command_line(lock: str) -> str:
    """Return the lock without the packages that only zappa's command line needs."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock)
    return "\n".join(block for block in blocks if block.partition("==")[0] not in COMMAND_LINE_ONLY)


def trim(folder: Path) -> None:
    """Delete what no function reads: programs, sources of what is compiled, descriptions of other services."""
    for needless in ("bin", "share"):
        shutil.rmtree(folder / needless, ignore_errors=True)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and (path.suffix in _NEEDLESS_SUFFIXES or path.name in _NEEDLESS_FILES):
            path.unlink()
        elif path.is_dir() and path.name in ("__pycache__", "tests"):
            shutil.rmtree(path)
    services = folder / "botocore" / "data"
    for path in services.iterdir() if services.exists() else ():
        if path.is_dir() and path.name not in KEPT_SERVICES:
            shutil.rmtree(path)


def compile_all(folder: Path) -> None:
    """
    Compile every module once, here: /var/task cannot be written to, so that each cold start would compile all it imports.

    The code is not compared with its source at import (unchecked-hash): both come from one zip, whose times say nothing.
    """
    compiling = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    # Equal bytes each time: one after another, since what a process compiled before leaves traces in what it writes, and with a
    # seed, since a set of constants is written in the order of hashes. -s and -p: tracebacks name the files where they will lie.
    command = [sys.executable, *compiling, "-s", str(folder), "-p", TASK_ROOT, str(folder)]
    done = subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": "0"}, check=False)
    if done.returncode:
        raise PackageError(f"the modules in {folder} could not be compiled: see above")


def _install(lock: str, target: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as requirements:
        requirements.write(lock)
        requirements.flush()
        version = ".".join(str(part) for part in PYTHON)
        exact = [
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--target",
            str(target),
            "-r",
            requirements.name,
        ]
        uv = _find_uv()
        if uv:
            platform = ["--python-version", version, "--python-platform", "x86_64-manylinux_2_34", "--link-mode", "copy"]
            command = [uv, "pip", "install", "--python", sys.executable, *platform, *exact]
        else:
            platforms = [part for minor in range(17, 35) for part in ("--platform", f"manylinux_2_{minor}_x86_64")]
            platforms += ["--platform", "manylinux2014_x86_64", "--python-version", version, "--implementation", "cp"]
            command = [sys.executable, "-m", "pip", "install", "--no-compile", *platforms, *exact]
        done = subprocess.run(command, check=False)
    if done.returncode:
        raise PackageError("The packages of requirements.txt could not be installed: see above. After a change, run: make lock")


def _find_uv() -> str | None:
    for candidate in (str(Path(sys.executable).with_name("uv")), "uv", str(CHECKOUT / ".tools" / "bin" / "uv")):
        found = shutil.which(candidate)
        if found:
            return found
    return None
