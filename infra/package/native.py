"""
The native libraries of WeasyPrint under lib/: what it loads by name, and all that those need but for the C library.

Lambda's LD_LIBRARY_PATH ends with /var/task/lib, so that they are found without a setting, and what Amazon Linux brings itself
is taken first. No fonts and no settings of fontconfig are needed: documents are laid out with the project's own
(billing/delivery/rendering/fonts.py).
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from infra.package import debian
from infra.package.elf import SharedObject
from infra.package.expat import made_for_lambda
from infra.package.places import CACHE, PackageError, digest

# What weasyprint/text/ffi.py and its PDF writer load by name.
LOADED: Final = (
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
    "libpangoft2-1.0.so.0",
)
# What every Amazon Linux 2023 has: glibc, and the runtime of GCC that Python itself needs.
BASE: Final = frozenset(
    {
        "ld-linux-x86-64.so.2",
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "libresolv.so.2",
        "librt.so.1",
        "libstdc++.so.6",
        "libutil.so.1",
    }
)
_SOURCES: Final = ("debian.py", "elf.py", "expat.py", "native.py")


def libraries() -> Path:
    """
    Return a folder with every library under the name that it is asked for; made anew when the lock has changed.

    :raises PackageError: if a package cannot be had, or one is missing in the lock
    """
    here = Path(__file__).parent
    key = digest([debian.LOCK.read_bytes(), *((here / name).read_bytes() for name in _SOURCES)])
    made = CACHE / f"native-{key}"
    if made.exists():
        made.touch()
        return made
    CACHE.mkdir(parents=True, exist_ok=True)
    packages = debian.fetch(debian.read_lock())
    with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as folder:
        unpacked, chosen = Path(folder) / "unpacked", Path(folder) / "lib"
        for package in packages:
            debian.unpack(package, unpacked)
        chosen.mkdir()
        copy_closure(unpacked, LOADED, chosen)
        chosen.rename(made)
    return made


def copy_closure(unpacked: Path, names: Sequence[str], target: Path) -> None:
    """
    Copy these libraries, and all that they need but for the base of every system, as plain files under the names asked for.

    Plain files, since neither zip nor Lambda keeps links: a link would become a second copy.

    :raises PackageError: if a needed library is in none of the packages
    """
    present = {path.name: path for path in sorted(unpacked.rglob("*.so*"))}
    waiting, copied = list(names), set(BASE)
    while waiting:
        name = waiting.pop()
        if name in copied:
            continue
        copied.add(name)
        if name not in present:
            raise PackageError(f"no package brings {name}: add its package to NAMES in infra/package/debian.py, and run lock")
        # The packages' links are relative, so that they lead to files in the folder.
        content = present[name].resolve().read_bytes()
        if name == "libexpat.so.1":
            content = made_for_lambda(content)
        (target / name).write_bytes(content)
        waiting += SharedObject(content).needed


def copy_into(tree: Path) -> None:
    """Copy the libraries to lib/ in the tree."""
    shutil.copytree(libraries(), tree / "lib")
