"""Typed, loud readers of environment variables: a bad value stops the start-up with a sentence that says what to write."""

import os
import re
from collections.abc import Mapping, Sequence
from typing import overload
from urllib.parse import unquote, urlsplit


class BadEnvironment(Exception):
    """A variable is missing or has a value that cannot be used. The message names it and says what to write."""


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_supplied: dict[str, str] = {}
_gathered: list[str] | None = None


def supply(values: Mapping[str, str]) -> None:
    """
    Have the readers find these values where the environment has none, or an empty one: what came from a store of secrets.

    They are not put into the environment, which every process that is started from here would inherit.
    """
    _supplied.update(values)


def gather_problems() -> None:
    """Let the readers go on after a value that cannot be used, with a stand-in, until refuse_gathered() tells of all of them."""
    global _gathered
    _gathered = []


def refuse_gathered() -> None:
    """
    End the gathering.

    :raises BadEnvironment: with every problem that was met, if there was any
    """
    global _gathered
    problems, _gathered = list(dict.fromkeys(_gathered or ())), None
    if problems:
        raise BadEnvironment("\n- ".join(["Squill cannot start:", *problems]))


def refuse(problem: str) -> None:
    """
    Refuse a value: now, or with all others where problems are being gathered.

    :raises BadEnvironment: unless they are
    """
    if _gathered is None:
        raise BadEnvironment(problem)
    _gathered.append(problem)


def _value(name: str) -> str | None:
    given = os.environ.get(name)
    return given or _supplied.get(name, given)


def _said(name: str) -> str:
    # What came from a store of secrets is not repeated, whatever it is.
    return f"{name}={os.environ[name]!r}" if os.environ.get(name) else name


@overload
def text(name: str) -> str: ...
@overload
def text(name: str, default: str) -> str: ...
def text(name: str, default: str | None = None) -> str:
    """
    Return the variable, or the default where it is unset or empty.

    :raises BadEnvironment: if it is unset or empty and there is no default
    """
    value = _value(name) or default
    if value is None:
        refuse(f"{name} is not set: put it into the environment")
    return value or ""


def boolean(name: str, *, default: bool) -> bool:
    """
    Return the variable as a truth value (1/0, true/false, yes/no, on/off).

    :raises BadEnvironment: for any other word
    """
    value = _value(name)
    if value is None:
        return default
    if value.lower() not in _TRUE | _FALSE:
        refuse(f"{_said(name)}: write true or false")
        return default
    return value.lower() in _TRUE


def integer(name: str, *, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    """
    Return the variable as a whole number of at least `minimum` and at most `maximum`.

    :raises BadEnvironment: if it is no whole number, or too small or large
    """
    value = _value(name)
    if not value:
        return default
    if not re.fullmatch(r"\s*[+-]?[0-9]+\s*", value):
        refuse(f"{_said(name)}: write a whole number")
    elif int(value) < minimum:
        refuse(f"{_said(name)}: write a whole number of at least {minimum}")
    elif maximum is not None and int(value) > maximum:
        refuse(f"{_said(name)}: write a whole number of at most {maximum}")
    else:
        return int(value)
    return default


def words(name: str, *, default: Sequence[str] = ()) -> list[str]:
    """Return the variable as a list of words separated by commas."""
    value = _value(name)
    if value is None:
        return list(default)
    return [word.strip() for word in value.split(",") if word.strip()]


def one_of(name: str, choices: Sequence[str], *, default: str) -> str:
    """
    Return the variable, which must be one of the choices.

    :raises BadEnvironment: for any other word
    """
    value = _value(name) or default
    if value not in choices:
        refuse(f"{_said(name)}: write one of {', '.join(choices)}")
        return default
    return value


def database(url: str) -> dict[str, object]:
    """
    Turn postgresql://user:password@host:port/name?sslmode=require into Django's settings for a database.

    A host that begins with a slash (or is given as ?host=/dir) is the directory of a Unix socket.

    :raises BadEnvironment: if the URL is not one of PostgreSQL, or names no database
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # its text repeats a part of the address, which may be of the password
        kind = "port" if "Port" in str(error) else "host"
        refuse(f"DATABASE_URL cannot be read, from its {kind} on: special letters of a password are written as %2F and the like")
        return {}
    name = unquote(parts.path.lstrip("/"))
    if parts.scheme not in ("postgresql", "postgres"):
        refuse("DATABASE_URL must begin with postgresql:// (Squill runs on PostgreSQL only)")
    elif not name:
        refuse("DATABASE_URL names no database: end it with /squill or the like")
    options: dict[str, str] = {}
    for pair in parts.query.split("&") if parts.query else ():
        key, _, value = pair.partition("=")
        options[unquote(key)] = unquote(value)
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": options,
    }
