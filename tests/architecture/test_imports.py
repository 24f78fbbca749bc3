"""The import rules of pyproject.toml hold, and a violation of each is noticed and named."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from squill.postgres.home import CHECKOUT

PACKAGES = ("squill", "billing", "usage", "customers")
AWS_AND_PDF = ("weasyprint", "boto3", "botocore", "storages", "django_ses")


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=folder,
        # Wide, so that the name of a contract is not broken over two lines.
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        shutil.copytree(CHECKOUT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "migrations"))
    shutil.copy(CHECKOUT / "pyproject.toml", folder)
    return folder


def test_all_contracts_are_kept() -> None:
    answer = _lint_imports(CHECKOUT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("usage/selectors.py", "import billing.models", "Imports between the packages point one way"),
        ("customers/models/customer.py", "import usage.selectors", "Imports between the packages point one way"),
        ("squill/web/problems.py", "import customers.models", "Imports between the packages point one way"),
        ("squill/lib/clock.py", "import squill.env", "Inside squill every module has its layer"),
        ("squill/neither_here_nor_there.py", "", "Inside squill every module has its layer"),
        ("billing/models/invoice.py", "import billing.invoicing", "Inside billing the way is one"),
        ("billing/rating/lines.py", "def late():\n    import billing.invoicing", "Inside billing the way is one"),
        ("billing/misc_stuff.py", "", "Inside billing the way is one"),
        ("usage/selectors.py", "import usage.ingestion", "Inside usage events come in and totals go out by separate ways"),
        ("usage/extras/__init__.py", "", "Inside usage events come in and totals go out by separate ways"),
        ("customers/models/customer.py", "import customers.services", "Inside customers the doors call services"),
        ("billing/pricing/money.py", "import django", "Prices are pure"),
        ("billing/pricing/tax.py", "from pathlib import Path", "Prices are pure"),
        ("squill/lib/currency.py", "import psycopg", "squill.lib imports no framework"),
        ("squill/postgres/server.py", "import psycopg", "The launcher of the embedded PostgreSQL stands alone"),
        (
            "billing/api/urls.py",
            "import weasyprint",
            "AWS and PDF libraries are imported in",
        ),
        (
            "squill/entrypoints.py",
            "def late():\n    import boto3",
            "AWS and PDF libraries are imported in",
        ),
        ("squill/lib/decimals.py", "import squill.lib.interval\n", "No two neighbours import each other"),
    ],
)
def test_a_violation_is_noticed_and_named(copy: Path, module: str, line: str, contract: str) -> None:
    path = copy / module
    original = path.read_text() if path.exists() else None
    other = copy / "squill/lib/interval.py"
    other_original = other.read_text()
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{original or ''}\n{line}\n")
    if "interval" in line:  # A circle needs two.
        other.write_text(f"{other_original}\nimport squill.lib.decimals\n")
    try:
        answer = _lint_imports(copy)
    finally:
        other.write_text(other_original)
        if original is None:
            path.unlink()
            if path.name == "__init__.py":
                path.parent.rmdir()
        else:
            path.write_text(original)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    broken = [said for said in answer.stdout.splitlines() if " BROKEN" in said]
    assert any(said.startswith(contract) for said in broken), answer.stdout


def test_starting_the_web_application_loads_no_aws_or_pdf_library() -> None:
    # A cold start of the API in Lambda waits for every import.
    script = "import sys, squill.wsgi, squill.urls; print(*sorted(sys.modules.keys() & set(sys.argv[1:])))"
    loaded = subprocess.run(
        [sys.executable, "-c", script, *AWS_AND_PDF],
        cwd=CHECKOUT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "squill.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.split() == []
