"""Which of the project's files are deployed."""

import subprocess
from pathlib import Path

import pytest

from infra.package import project
from infra.package.places import CHECKOUT


def test_all_that_is_kept_in_git_of_the_applications_is_deployed() -> None:
    listed = subprocess.run(
        ["git", "ls-files", *project.PACKAGES], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    kept = {Path(name) for name in listed.splitlines() if not name.endswith((".md", ".po", ".pot"))}

    assert len(kept) > 500
    assert kept <= set(project.sources())


def test_nothing_else_of_a_checkout_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "CHECKOUT", tmp_path)
    deployed = [
        "LICENSE",
        "manage.py",
        "billing/models/invoice.py",
        "squill/locale/de/LC_MESSAGES/django.mo",
        "templates/404.html",
    ]
    left = [
        ".env",
        "notes.txt",
        "requirements.txt",
        "tests/conftest.py",
        "infra/__init__.py",
        ".git/config",
        "docs/operations.md",
    ]
    left += ["squill/.env", "billing/.DS_Store", "squill/locale/de/LC_MESSAGES/django.po", "usage/README.md"]
    left += ["billing/models/__pycache__/invoice.cpython-313.pyc"]
    for name in (*deployed, *left):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert sorted(str(path) for path in project.sources()) == sorted(deployed)
