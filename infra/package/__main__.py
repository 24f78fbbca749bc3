"""
Make what Lambda runs.

    python -m infra.package [STAGE…]    build/package/squill-STAGE.zip, by `zappa package`; all that zappa_settings.json names
    python -m infra.package lock        lock the newest Debian packages of the native libraries (infra/package/packages.lock)

`zappa deploy STAGE` and `zappa update STAGE` make the same package by themselves.
"""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from infra.package import assemble, debian
from infra.package.places import BUILD, CHECKOUT, PackageError


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m infra.package", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("words", nargs="*", metavar="STAGE", help="a stage of zappa_settings.json, or the word lock")
    words = parser.parse_args().words
    try:
        if words == ["lock"]:
            for locked in debian.write_lock():
                print(f"{locked.name} {locked.version}")
        else:
            assemble.base()
            for stage in words or stages():
                report(package(stage))
    except PackageError as error:
        sys.exit(str(error))


def stages() -> list[str]:
    """Return the stages that zappa_settings.json names."""
    return list(json.loads((CHECKOUT / "zappa_settings.json").read_text(encoding="utf-8")))


def package(stage: str) -> Path:
    """
    Have zappa write the stage's package, and return it.

    :raises PackageError: if there is no such stage, or zappa fails
    """
    if stage not in stages():
        raise PackageError(f"zappa_settings.json has no stage {stage}: use {', '.join(stages())}, or the word lock")
    target = BUILD / f"squill-{stage}.zip"
    # Packaging asks AWS nothing, but zappa wants to see an environment, and boto3 a region and a key.
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"} | os.environ
    environment |= {"VIRTUAL_ENV": sys.prefix}
    command = [sys.executable, "-m", "zappa.cli", "package", stage, "--output", str(target)]
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or not target.exists():
        raise PackageError(f"zappa could not make the package of {stage}:\n{done.stdout}{done.stderr}")
    return target


def report(path: Path) -> None:
    """Say where the package is and how large."""
    with zipfile.ZipFile(path) as made:
        unpacked = sum(entry.file_size for entry in made.infolist())
    print(f"{path.relative_to(CHECKOUT)}: {path.stat().st_size / 2**20:.0f} MB, {unpacked / 2**20:.0f} MB unpacked")


if __name__ == "__main__":
    main()
