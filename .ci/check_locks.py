"""
Check, offline, that the locks hold what pyproject.toml asks for: exit 1 and name what is missing or does not fit.

Also that requirements-dev.txt holds requirements.txt unchanged, that every line has hashes, and that no lock names a host.
"""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)")


def main() -> int:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    runtime = project["dependencies"]
    development = [*runtime, *project["optional-dependencies"]["dev"]]
    locks = {name: (CHECKOUT / name).read_text() for name in ("requirements.txt", "requirements-dev.txt")}
    problems = [
        *unmet("requirements.txt", locks["requirements.txt"], runtime),
        *unmet("requirements-dev.txt", locks["requirements-dev.txt"], development),
        *(problem for name, text in locks.items() for problem in malformed(name, text)),
    ]
    lambda_pins, dev_pins = pins(locks["requirements.txt"]), pins(locks["requirements-dev.txt"])
    problems += [
        f"requirements-dev.txt: {name} is {dev_pins.get(name, 'missing')}, but {version} in requirements.txt"
        for name, version in lambda_pins.items()
        if dev_pins.get(name) != version
    ]
    for problem in problems:
        sys.stderr.write(problem + "\n")
    if problems:
        sys.stderr.write("Run: make lock\n")
    return 1 if problems else 0


def pins(text: str) -> dict[str, str]:
    """Return the locked version of every package, by canonical name."""
    found = (PINNED.match(line) for line in text.splitlines())
    return {canonicalize_name(match.group(1)): match.group(2) for match in found if match}


def unmet(lock_name: str, text: str, wanted: list[str]) -> list[str]:
    """Return a sentence for each requirement that the lock does not meet."""
    locked = pins(text)
    problems = []
    for line in wanted:
        requirement = Requirement(line)
        version = locked.get(canonicalize_name(requirement.name))
        if version is None:
            problems.append(f"{lock_name}: {requirement} is not locked")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{lock_name}: {requirement.name} {version} does not fit {requirement}")
    return problems


def malformed(lock_name: str, text: str) -> list[str]:
    """Return a sentence for each package without a hash and each line that names a host or a path."""
    problems = [
        f"{lock_name}: names a place: {line}"
        for line in text.splitlines()
        if re.search(r"https?://|file:|--find-links|--index", line)
    ]
    for block in re.split(r"\n(?=[A-Za-z0-9])", text):
        if PINNED.match(block) and "--hash=sha256:" not in block:
            problems.append(f"{lock_name}: no hash: {block.splitlines()[0]}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
