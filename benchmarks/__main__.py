"""Run the benchmarks that are named, or all, each in a process and a home of its own."""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from squill import postgres

CHECKOUT = Path(__file__).resolve().parent.parent
NAMES = ("ingest", "storage", "reads", "billing_run", "fan_out", "upcoming", "rerating", "pricing", "documents", "deployed")
PURE = ("pricing", "documents")  # need no database
UNMIGRATED = ("deployed",)  # migrates its database by itself


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all by default")
    names = parser.parse_args().names or NAMES
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"{platform.system()} {machine}, Python {platform.python_version()}")
    failed = [name for name in names if run(name)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def run(name: str) -> int:
    """Run one benchmark, on a fresh database if it needs one; return its exit status."""
    if name not in NAMES:
        sys.exit(f"there is no benchmark {name}: use {', '.join(NAMES)}")
    print(f"\n== {name}", flush=True)
    if name in PURE:
        return subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=CHECKOUT, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="squill-bench-") as home:
        os.environ.update(SQUILL_HOME=home, SQUILL_LOG_LEVEL="ERROR", DJANGO_SETTINGS_MODULE="squill.settings")
        os.environ.pop("DATABASE_URL", None)
        try:
            if name not in UNMIGRATED:
                subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=CHECKOUT, check=True)
            return subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=CHECKOUT, check=False).returncode
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
