"""What zappa calls: it is shown an empty project, and what it writes becomes the package."""

import os
import zipfile
from pathlib import Path

import pytest

from infra.package import assemble, checks, hooks
from infra.package.places import PackageError


class Command:
    """As much of zappa's command line as is looked at."""

    zip_path = "squill-dev-1790000000.zip"


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose base holds all that is required but what zappa writes."""
    written_by_zappa = ("handler.py", "zappa_settings.py", "django_zappa_app.py")
    base, folder = tmp_path / "base.zip", tmp_path / "checkout"
    folder.mkdir()
    with zipfile.ZipFile(base, "w") as archive:
        for name in checks.REQUIRED:
            if name not in written_by_zappa:
                archive.writestr(name, b"base")
    monkeypatch.setattr(assemble, "base", lambda: base)
    monkeypatch.setattr(hooks, "CACHE", tmp_path)
    monkeypatch.setattr(hooks, "_CHECKOUT", str(folder))
    monkeypatch.setenv("VIRTUAL_ENV", "as it was")
    monkeypatch.chdir(folder)
    return folder


def zappa_writes(settings: str = "DEBUG=False\n") -> None:
    """Do what zappa does between its two hooks."""
    with zipfile.ZipFile(Command.zip_path, "w") as archive:
        archive.writestr("handler.py", b"zappa")
        archive.writestr("django_zappa_app.py", b"zappa")
        archive.writestr("zappa_settings.py", settings)
        archive.writestr("package_info.json", b'{"build_user": "somebody"}')


def test_zappa_finds_nothing_to_pack() -> None:
    hooks.prepare()

    assert list(Path.cwd().iterdir()) == []
    environment = Path(os.environ["VIRTUAL_ENV"])
    assert [path for path in environment.rglob("*") if path.is_file()] == []
    assert list(environment.glob("lib/python3.*/site-packages"))


def test_the_zip_holds_the_base_and_what_zappa_wrote_for_the_stage(checkout: Path) -> None:
    hooks.prepare()
    zappa_writes()

    hooks.complete(Command())

    assert Path.cwd() == checkout
    with zipfile.ZipFile(Command.zip_path) as made:
        assert set(made.namelist()) == set(checks.REQUIRED)  # without the name of who made it
        assert made.read("zappa_settings.py") == b"DEBUG=False\n"
        assert made.read("manage.py") == b"base"


def test_equal_inputs_give_equal_bytes() -> None:
    made = []
    for _twice in range(2):
        hooks.prepare()
        zappa_writes()
        hooks.complete(Command())
        made.append(Path(Command.zip_path).read_bytes())

    assert made[0] == made[1]


def test_a_package_that_fails_a_check_ends_the_deployment(checkout: Path) -> None:
    hooks.prepare()
    zappa_writes("DEBUG=True\n")

    with pytest.raises(SystemExit) as ended:
        hooks.complete(Command())

    assert "must not be deployed" in str(ended.value)
    assert list(checkout.iterdir()) == []


def test_a_base_that_cannot_be_made_ends_the_deployment_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise PackageError("no package brings libpango-1.0.so.0")

    monkeypatch.setattr(assemble, "base", fail)

    with pytest.raises(SystemExit, match="no package brings"):
        hooks.prepare()
