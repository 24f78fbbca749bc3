from typing import Any

import pytest

from squill import env

NAME = "SQUILL_TEST_VALUE"


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv(NAME, raising=False)
    return lambda value: monkeypatch.setenv(NAME, value)


def test_text_needs_a_value_or_a_default(put: Any) -> None:
    with pytest.raises(env.BadEnvironment, match=r"^SQUILL_TEST_VALUE is not set: put it into the environment$"):
        env.text(NAME)
    assert env.text(NAME, "usual") == "usual"
    put("")
    assert env.text(NAME, "usual") == "usual"
    put("mine")
    assert env.text(NAME) == "mine"


@pytest.mark.parametrize(
    ("value", "meant"),
    [("1", True), ("TRUE", True), ("yes", True), ("on", True), ("0", False), ("No", False), ("off", False), ("", False)],
)
def test_booleans_have_four_words_each(put: Any, value: str, meant: bool) -> None:
    put(value)
    assert env.boolean(NAME, default=not meant) is meant


def test_another_word_is_no_boolean(put: Any) -> None:
    assert env.boolean(NAME, default=True) is True
    put("maybe")
    with pytest.raises(env.BadEnvironment, match=r"^SQUILL_TEST_VALUE='maybe': write true or false$"):
        env.boolean(NAME, default=True)


def test_integers_have_a_minimum(put: Any) -> None:
    assert env.integer(NAME, default=7) == 7
    put("12")
    assert env.integer(NAME, default=7, minimum=12) == 12
    put("11")
    with pytest.raises(env.BadEnvironment, match=r"write a whole number of at least 12$"):
        env.integer(NAME, default=7, minimum=12)
    put("1.5")
    with pytest.raises(env.BadEnvironment, match=r"write a whole number$"):
        env.integer(NAME, default=7)


def test_words_are_separated_by_commas(put: Any) -> None:
    assert env.words(NAME, default=["a"]) == ["a"]
    put(" a.example , b.example,, ")
    assert env.words(NAME) == ["a.example", "b.example"]
    put("")
    assert env.words(NAME, default=["a"]) == []


def test_one_of_refuses_what_is_not_among_them(put: Any) -> None:
    assert env.one_of(NAME, ("folder", "ses"), default="folder") == "folder"
    put("ses")
    assert env.one_of(NAME, ("folder", "ses"), default="folder") == "ses"
    put("smtp")
    with pytest.raises(env.BadEnvironment, match=r"^SQUILL_TEST_VALUE='smtp': write one of folder, ses$"):
        env.one_of(NAME, ("folder", "ses"), default="folder")


def test_a_database_url_is_read_in_all_its_parts() -> None:
    assert env.database("postgresql://us%40er:p%2Fw@db.example:6432/squill?sslmode=require&application_name=a%20b") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "squill",
        "USER": "us@er",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require", "application_name": "a b"},
    }


def test_a_database_url_may_name_a_socket() -> None:
    settings = env.database("postgres://squill@/squill?host=/run/my%20pg&port=5433")
    assert (settings["HOST"], settings["PORT"], settings["OPTIONS"]) == ("/run/my pg", "5433", {})


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://localhost/squill", r"^DATABASE_URL must begin with postgresql:// "),
        ("postgresql://localhost", r"^DATABASE_URL names no database: "),
        ("sqlite:///db.sqlite3", r"^DATABASE_URL must begin with postgresql:// "),
    ],
)
def test_another_database_is_refused(url: str, message: str) -> None:
    with pytest.raises(env.BadEnvironment, match=message):
        env.database(url)


def test_supplied_values_stand_behind_the_environment(put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "_supplied", {})
    env.supply({NAME: "12"})
    assert (env.text(NAME), env.integer(NAME, default=7), env.words(NAME)) == ("12", 12, ["12"])
    put("")
    assert env.text(NAME) == "12"
    put("13")
    assert env.integer(NAME, default=7) == 13


def test_a_supplied_value_that_cannot_be_used_is_not_repeated(put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "_supplied", {NAME: "hunter2"})
    for read in (
        lambda: env.integer(NAME, default=7),
        lambda: env.boolean(NAME, default=True),
        lambda: env.one_of(NAME, ("a",), default="a"),
    ):
        with pytest.raises(env.BadEnvironment, match=r"^SQUILL_TEST_VALUE: write ") as refused:
            read()
        assert "hunter2" not in str(refused.value)


def test_gathered_problems_are_told_once_and_together(put: Any) -> None:
    put("maybe")
    env.gather_problems()
    assert env.boolean(NAME, default=True) is True
    assert env.boolean(NAME, default=False) is False
    assert env.integer(NAME, default=7) == 7
    assert env.text("SQUILL_TEST_OTHER") == ""
    with pytest.raises(env.BadEnvironment) as refused:
        env.refuse_gathered()
    assert str(refused.value).split("\n- ") == [
        "Squill cannot start:",
        "SQUILL_TEST_VALUE='maybe': write true or false",
        "SQUILL_TEST_VALUE='maybe': write a whole number",
        "SQUILL_TEST_OTHER is not set: put it into the environment",
    ]
    with pytest.raises(env.BadEnvironment, match=r"^SQUILL_TEST_OTHER is not set"):
        env.text("SQUILL_TEST_OTHER")  # the gathering has ended


def test_nothing_wrong_is_no_refusal() -> None:
    env.gather_problems()
    env.refuse_gathered()


@pytest.mark.parametrize("url", ["postgresql://u:hunter/2@db/squill", "postgresql://u:p@[hunter2/squill"])
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(env.BadEnvironment, match=r"^DATABASE_URL cannot be read") as refused:
        env.database(url)
    assert "hunter" not in str(refused.value)
