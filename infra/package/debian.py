"""
Debian packages by name, version and SHA-256: packages.lock says which, apt-get brings them from the machine's own mirror.

Debian 12 (bookworm) on x86_64. Its mirrors keep the newest version of a package only, so a point release or a security fix makes
a locked version vanish: then the lock is renewed, which is also how fixes come in. What was fetched stays in build/.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.package.places import CACHE, PackageError

LOCK: Final = Path(__file__).with_name("packages.lock")
LOCK_COMMAND: Final = "python -m infra.package lock"
# What WeasyPrint loads, and what that needs in its turn down to the C library. A package that is missing here fails the build,
# which names the file that nobody brings.
NAMES: Final = (
    "libblkid1",
    "libbrotli1",
    "libdatrie1",
    "libexpat1",
    "libffi8",
    "libfontconfig1",
    "libfreetype6",
    "libfribidi0",
    "libglib2.0-0",
    "libgraphite2-3",
    "libharfbuzz-subset0",
    "libharfbuzz0b",
    "libmount1",
    "libpango-1.0-0",
    "libpangoft2-1.0-0",
    "libpcre2-8-0",
    "libpng16-16",
    "libselinux1",
    "libthai0",
    "zlib1g",
)
_HEADER: Final = f"# Debian 12 packages with the libraries of PDFs: name, version, SHA-256. Renewed by: {LOCK_COMMAND}\n"


@dataclass(frozen=True, slots=True, order=True)
class Locked:
    """One package as it is locked."""

    name: str
    version: str
    sha256: str


def read_lock() -> list[Locked]:
    """Return the locked packages, by name."""
    lines = (line.split() for line in LOCK.read_text(encoding="ascii").splitlines() if not line.startswith("#"))
    return [Locked(*words) for words in lines]


def write_lock() -> list[Locked]:
    """
    Lock the newest version that the machine's mirror has of each package, and return them.

    :raises PackageError: if apt-get cannot bring them
    """
    with tempfile.TemporaryDirectory(prefix="squill-debs-") as folder:
        _download([f"{name}:amd64" for name in NAMES], Path(folder))
        locked = sorted(_described(path) for path in Path(folder).glob("*.deb"))
    missing = set(NAMES) - {package.name for package in locked}
    if missing:
        raise PackageError(f"apt-get brought no {', '.join(sorted(missing))}: is this Debian 12?")
    lines = (f"{package.name} {package.version} {package.sha256}\n" for package in locked)
    LOCK.write_text(_HEADER + "".join(lines), encoding="ascii")
    return locked


def fetch(packages: Sequence[Locked]) -> list[Path]:
    """
    Return the files of these packages, each with the content that is locked; fetch those that are not there yet.

    :raises PackageError: if one cannot be had, or is not what was locked
    """
    kept = CACHE / "debian"
    kept.mkdir(parents=True, exist_ok=True)
    wanted = {package: kept / f"{package.sha256}.deb" for package in packages}
    missing = [package for package, path in wanted.items() if not path.exists()]
    if missing:
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=kept) as folder:
            _download([f"{package.name}:amd64={package.version}" for package in missing], Path(folder))
            _keep(missing, Path(folder), kept)
    for package, path in wanted.items():
        if hashlib.sha256(path.read_bytes()).hexdigest() != package.sha256:
            path.unlink()
            raise PackageError(f"{path} was not what was locked and is deleted: run this again")
    return list(wanted.values())


def unpack(path: Path, folder: Path) -> None:
    """Unpack a package's files into the folder."""
    subprocess.run(["dpkg-deb", "--extract", path, folder], check=True)


def _keep(packages: Sequence[Locked], fetched: Path, kept: Path) -> None:
    by_sha256 = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in fetched.glob("*.deb")}
    for package in packages:
        if package.sha256 not in by_sha256:
            raise PackageError(
                f"{package.name} {package.version} as fetched is not the file that packages.lock names by its SHA-256. Do not "
                f"use it. If the mirror is to be trusted, lock it anew: {LOCK_COMMAND}"
            )
        shutil.move(by_sha256[package.sha256], kept / f"{package.sha256}.deb")


def _download(packages: Sequence[str], folder: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise PackageError(
            "The native libraries for Lambda come from Debian 12: make the package on Debian 12 (x86_64) or in a container of it."
        )
    done = _apt_get(folder, "download", "-qq", *packages)
    if done.returncode and os.geteuid() == 0:
        # The lists of packages may be missing, as in a fresh container, or older than the lock.
        _apt_get(folder, "update", "-qq")
        done = _apt_get(folder, "download", "-qq", *packages)
    if done.returncode:
        raise PackageError(
            f"{done.stderr.strip()}\n"
            "Debian packages for Lambda could not be fetched. This needs the package lists of Debian 12 on x86_64: `apt-get "
            "update` as root brings them. If a locked version is not found, a newer one has replaced it there: "
            f"lock that with `{LOCK_COMMAND}`, run the tests, and commit infra/package/packages.lock."
        )


def _apt_get(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # Without a user of its own, apt does not complain at every file that _apt cannot write to this folder.
    command = ["apt-get", "-o", "APT::Sandbox::User=", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _described(path: Path) -> Locked:
    command = ["dpkg-deb", "--show", "--showformat=${Package} ${Version}", str(path)]
    name, version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return Locked(name, version, hashlib.sha256(path.read_bytes()).hexdigest())
