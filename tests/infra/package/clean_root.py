"""
A root folder with Python 3.13 where Lambda has it, its own libraries, a package in /var/task, and nothing else.

No Pango, no fonts, no fontconfig, no shell. Programs run in it as nobody: as on Lambda, only /tmp can be written to.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.package.elf import MAGIC
from infra.package.native import BASE
from tests.tools import require_tool

LAMBDAS_ENVIRONMENT = {
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LANG": "en_US.UTF-8",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    "LAMBDA_TASK_ROOT": "/var/task",
    "AWS_LAMBDA_FUNCTION_NAME": "squill-dev",
}
NOBODY = 65534
# Parts of the standard library that need libraries of screens, which Lambda has not either.
LEFT_OUT = ("site-packages", "test", "idlelib", "tkinter", "_tkinter*", "__pycache__", "config-*", "ensurepip")


def make_clean_root(root: Path, package: Path) -> None:
    """Fill the folder; the package is moved into it where that costs nothing, else copied."""
    prefix, version = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    lang = root / "var" / "lang"
    (lang / "bin").mkdir(parents=True)
    shutil.copy(Path(sys.base_prefix) / "bin" / version, lang / "bin" / version)
    shutil.copytree(prefix / "lib" / version, lang / "lib" / version, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for library in prefix.glob("lib/libpython*.so*"):
        shutil.copy(library, lang / "lib" / library.name)
    copy_libraries(lang, root)
    shutil.copytree(package, root / "var" / "task", copy_function=os.link)
    # Pytest's folders are closed to others, and Lambda's user is another one.
    for folder in (root, root / "var" / "task"):
        folder.chmod(0o755)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def copy_libraries(lang: Path, root: Path) -> None:
    """Copy what the loader of this machine finds for Python and its modules to the same place in the root."""
    require_tool("ldd")
    objects = [path for path in lang.rglob("*") if path.is_file() and is_program(path)]
    listed = subprocess.run(["ldd", *objects], capture_output=True, text=True, check=False).stdout
    found = {word for line in listed.splitlines() for word in line.split() if word.startswith("/") and ":" not in word}
    # Amazon Linux has the whole of glibc and GCC's runtime, even where Python itself asks for a part of them.
    [libc] = (Path(name) for name in found if Path(name).name == "libc.so.6")
    found |= {str(libc.with_name(name)) for name in BASE if libc.with_name(name).exists()}
    for name in sorted(found):
        target = root / name.lstrip("/")
        if Path(name).is_relative_to(lang) or Path(name).is_relative_to(sys.base_prefix):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(name, target)


def is_program(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(6) == MAGIC


def run_in(root: Path, code: str, *, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in the root with Lambda's environment and these variables."""
    environment = LAMBDAS_ENVIRONMENT | variables
    python = "/var/lang/bin/python3.13"
    if os.geteuid() == 0:
        enter = [require_tool("chroot"), f"--userspec={NOBODY}:{NOBODY}", str(root)]
    else:
        enter = [require_tool("unshare"), "--map-root-user", f"--root={root}"]
    program = [*enter, python, "-c", code]
    return subprocess.run(program, input=stdin, env=environment, capture_output=True, text=True, timeout=120, check=False)
