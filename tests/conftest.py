"""
What every test runs in: an environment, a home and a database of its own.

The developer's own settings and the demo's data never reach a test. The database server is the embedded one of
`.squill/test` in the checkout, or the one that DATABASE_URL names; tests/databases.py says how the databases in it are made.
"""

import os
import shutil
import tempfile
from pathlib import Path

import django
import pytest
from pytest_django import DjangoDbBlocker, Settings

from squill import postgres

CHECKOUT = Path(__file__).resolve().parents[1]


def _isolate_environment() -> Path:
    """Set the environment that the settings are read from; return this process's home."""
    for name in list(os.environ):
        if name.startswith(("SQUILL_", "AWS_")) and name != "AWS_CA_BUNDLE":
            del os.environ[name]
    if not os.environ.get("DATABASE_URL"):
        os.environ["SQUILL_HOME"] = str(CHECKOUT / ".squill" / "test")
        os.environ["DATABASE_URL"] = postgres.url()
        os.environ["TESTS_EMBEDDED_HOME"] = os.environ["SQUILL_HOME"]
    home = Path(tempfile.mkdtemp(prefix="squill-tests-"))
    os.environ["SQUILL_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "squill.settings"
    # No test asks a cloud who it is.
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    return home


HOME = _isolate_environment()
# Here, and not by pytest-django, which would load the settings before this file could set their environment.
django.setup()


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Have pytest-django clone its test database from a migrated template instead of migrating an empty one."""
    from tests import databases  # noqa: PLC0415 - reads the settings, so not before the environment is set

    with django_db_blocker.unblock():
        databases.start_server()
        databases.use_template()
    databases.let_flush_empty_frozen_tables()


@pytest.fixture
def database_url(db: None) -> str:
    """The address of this test's database, for a program that the test starts (which sees committed rows only)."""
    from tests import databases  # noqa: PLC0415 - reads the settings, so not before the environment is set

    return databases.current_url()


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hash passwords in microseconds: no test is about the strength of the hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
