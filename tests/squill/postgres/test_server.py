import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from squill import postgres
from squill.postgres import server, waiting
from squill.postgres.home import Layout
from squill.postgres.postmaster import is_alive
from tests.squill.postgres.asking import ask, execute, start_in_another_process


def _kill_server(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    waiting.wait_until(lambda: not is_alive(pid), telling="waiting for the kill")


class TestRunning:
    def test_has_the_database_and_keeps_what_it_acknowledged(self, running: postgres.Server) -> None:
        assert ask("SELECT current_database() || '/' || current_user") == "squill/squill"
        assert [ask(f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on", "on", "on"]
        assert ask("SHOW data_checksums") == "on"

    def test_knows_upper_and_lower_case_beyond_ascii(self, running: postgres.Server) -> None:
        assert ask("SELECT upper('Müller & Søn')") == "MÜLLER & SØN"
        assert ask("SHOW server_encoding") == "UTF8"

    def test_listens_on_its_socket_alone(self, running: postgres.Server) -> None:
        assert ask("SHOW listen_addresses") == ""
        assert ask("SHOW unix_socket_directories") == f'"{running.socket_dir}"'
        found = running.socket_dir.stat()
        assert stat.S_IMODE(found.st_mode) == 0o700
        assert found.st_uid == running.data_dir.stat().st_uid

    def test_a_second_process_gets_the_same_server(self, running: postgres.Server) -> None:
        answer, _ = start_in_another_process().communicate()
        assert int(answer) == running.pid

    def test_starting_again_changes_nothing(self, running: postgres.Server) -> None:
        assert postgres.ensure_running() == running

    def test_a_server_that_still_recovers_is_waited_for_and_talked_about(
        self, running: postgres.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(waiting, "NOTICE_EVERY_SECONDS", 0.1)
        pid_file = running.data_dir / "postmaster.pid"
        ready = pid_file.read_text()
        states: list[str] = []
        pid_file.write_text(ready.replace("ready   ", "starting"))
        starter = threading.Thread(target=lambda: states.append(postgres.ensure_running().state))
        starter.start()
        time.sleep(0.4)
        still_waiting = starter.is_alive()
        state_meanwhile = postgres.status().state
        pid_file.write_text(ready)
        starter.join()
        assert still_waiting
        assert state_meanwhile == "starting"
        assert states == ["running"]
        assert "after a crash it recovers first" in capsys.readouterr().err


class TestStarting:
    def test_four_at_once_get_one_server(self, home: Path) -> None:
        starters = [start_in_another_process() for _ in range(4)]
        pids = {starter.communicate()[0].strip() for starter in starters}
        assert [starter.returncode for starter in starters] == [0, 0, 0, 0]
        assert pids == {str(postgres.status().pid)}

    def test_the_server_survives_its_killed_starter(self, home: Path) -> None:
        starter = start_in_another_process(
            "import time; from squill import postgres; print(postgres.ensure_running().pid, flush=True); time.sleep(60)"
        )
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.killpg(starter.pid, signal.SIGKILL)
        starter.wait()
        assert postgres.status().pid == pid
        assert ask("SELECT 1") == 1

    def test_a_killed_server_recovers_what_was_committed(self, home: Path) -> None:
        first = postgres.ensure_running()
        assert first.pid is not None
        execute("CREATE TABLE kept AS SELECT 42 AS answer")
        _kill_server(first.pid)
        assert postgres.status().state == "stopped"
        second = postgres.ensure_running()
        assert second.pid != first.pid
        assert ask("SELECT answer FROM kept") == 42

    def test_a_pid_file_of_a_zombie_or_of_a_stranger_stops_nobody(self, home: Path) -> None:
        pid = postgres.ensure_running().pid
        ended = subprocess.Popen(["true"])  # and not collected: a zombie
        try:
            for misleading in (ended.pid, os.getpid()):
                assert pid is not None
                _kill_server(pid)
                pid_file = Layout(home).data_dir / "postmaster.pid"
                pid_file.write_text(re.sub(r"^\d+", str(misleading), pid_file.read_text()))
                assert postgres.status().state == "stopped"
                pid = postgres.ensure_running().pid
                assert ask("SELECT 1") == 1
        finally:
            ended.wait()

    def test_a_home_with_a_long_and_awkward_path_has_its_socket_in_tmp(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        long_home = home.parent / ("a long, awkward 'name' & \"more\" " * 3)
        monkeypatch.setenv("SQUILL_HOME", str(long_home))
        found = postgres.ensure_running()
        try:
            assert found.socket_dir.parent == Path("/tmp")
            assert stat.S_IMODE(found.socket_dir.stat().st_mode) == 0o700
            assert ask("SELECT 1") == 1
        finally:
            postgres.stop()
            found.socket_dir.rmdir()

    def test_a_folder_that_somebody_made_in_place_of_the_socket_is_refused(
        self, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        long_home = home.parent / ("x" * 100)
        monkeypatch.setenv("SQUILL_HOME", str(long_home))
        planted = Layout(long_home).socket_dir
        planted.symlink_to(home.parent)
        try:
            with pytest.raises(postgres.PostgresError, match=f"{planted} should be a folder of mode 0700"):
                postgres.ensure_running()
        finally:
            planted.unlink()
        assert list(Layout(long_home).owned_dir.iterdir()) == []

    def test_a_server_that_does_not_start_says_its_last_words(self, home: Path) -> None:
        data_dir = postgres.ensure_running().data_dir
        postgres.stop()
        with (data_dir / "postgresql.conf").open("a") as stream:
            stream.write("shared_buffers = lots\n")
        with pytest.raises(postgres.PostgresError, match='invalid value for parameter "shared_buffers": "lots"') as caught:
            postgres.ensure_running()
        assert str(home / "postgres.log") in str(caught.value)
        assert "ready to accept" not in str(caught.value), "lines of an earlier start say nothing about this one"

    def test_data_of_another_version_is_named_and_left_alone(self, home: Path) -> None:
        data_dir = Layout(home).data_dir
        data_dir.mkdir(parents=True)
        (data_dir / "PG_VERSION").write_text("9\n")
        with pytest.raises(postgres.PostgresError, match="made by PostgreSQL 9, but only 1"):
            postgres.ensure_running()
        assert [path.name for path in data_dir.iterdir()] == ["PG_VERSION"]

    def test_a_first_start_that_was_cut_short_is_begun_anew(self, home: Path) -> None:
        unfinished = Layout(home).data_dir.with_name("data.unfinished")
        unfinished.mkdir(parents=True)
        (unfinished / "PG_VERSION").write_text("18\n")
        postgres.ensure_running()
        assert ask("SELECT 1") == 1
        assert not unfinished.exists()

    def test_a_home_that_cannot_be_made_is_an_error_for_a_person(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (home.parent / "file").touch()
        monkeypatch.setenv("SQUILL_HOME", str(home.parent / "file" / "home"))
        with pytest.raises(postgres.PostgresError, match=r"cannot be started: .*Not a directory"):
            postgres.ensure_running()

    def test_a_large_log_is_put_aside(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "LOG_KEPT_BYTES", 10)
        home.mkdir()
        (home / "postgres.log").write_text("an old line\n")
        postgres.ensure_running()
        assert (home / "postgres.log.1").read_text() == "an old line\n"
        assert "an old line" not in (home / "postgres.log").read_text()


class TestStopping:
    def test_stops_with_clients_connected_and_keeps_the_data(self, home: Path) -> None:
        postgres.ensure_running()
        execute("CREATE TABLE kept AS SELECT 42 AS answer")
        client = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import psycopg, time; psycopg.connect({postgres.url()!r}); print(1, flush=True); time.sleep(60)",
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert client.stdout is not None
        client.stdout.readline()
        try:
            assert postgres.stop() is True
            assert postgres.status().state == "stopped"
            assert postgres.status().pid is None
        finally:
            client.kill()
            client.communicate()
        postgres.ensure_running()
        assert ask("SELECT answer FROM kept") == 42

    def test_stopping_what_does_not_run_says_so_and_makes_nothing(self, home: Path) -> None:
        assert postgres.stop() is False
        assert not home.exists()
