from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from squill import postgres
from squill.postgres.home import CHECKOUT, Layout


def test_home_is_in_the_checkout_unless_the_environment_names_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SQUILL_HOME")
    assert postgres.home() == CHECKOUT / ".squill"
    monkeypatch.setenv("SQUILL_HOME", "")
    assert postgres.home() == CHECKOUT / ".squill"
    monkeypatch.setenv("SQUILL_HOME", str(tmp_path / "other" / ".." / "mine"))
    assert postgres.home() == tmp_path / "mine"


def test_settings_and_url_name_the_socket_and_start_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUILL_HOME", "/srv/a b&c")
    assert postgres.connection_settings() == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "/srv/a b&c/postgres/socket",
        "PORT": "5432",
        "NAME": "squill",
        "USER": "squill",
        "PASSWORD": "",
    }
    url = urlsplit(postgres.url())
    assert (url.scheme, url.username, url.path) == ("postgresql", "squill", "/squill")
    assert parse_qs(url.query) == {"host": ["/srv/a b&c/postgres/socket"], "port": ["5432"]}
    assert not Path("/srv/a b&c").exists()


@pytest.mark.parametrize(
    ("home_length", "is_inside"),
    [
        (69, True),  # 69 + "/postgres/socket" (16) + "/.s.PGSQL.5432" (14) = 99 bytes
        (70, True),  # 100 bytes: still fits
        (71, False),
    ],
)
def test_socket_moves_to_tmp_where_its_path_would_be_too_long(home_length: int, is_inside: bool) -> None:
    home = Path("/" + "h" * (home_length - 1))
    socket_dir = Layout(home).socket_dir
    assert (socket_dir == home / "postgres" / "socket") is is_inside
    assert (socket_dir.parent == Path("/tmp")) is not is_inside


def test_two_homes_never_share_a_socket_in_tmp() -> None:
    assert Layout(Path("/" + "a" * 100)).socket_dir != Layout(Path("/" + "b" * 100)).socket_dir
