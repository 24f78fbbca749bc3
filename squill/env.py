"""Typed, loud readers of environment variables: a bad value stops the start-up with a sentence that says what to write."""

import os
from collections.abc import Sequence
from typing import overload
from urllib.parse import unquote, urlsplit


class BadEnvironment(Exception):
    """A variable is missing or has a value that cannot be used. The message names it and says what to write."""


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@overload
def text(name: str) -> str: ...
@overload
def text(name: str, default: str) -> str: ...
def text(name: str, default: str | None = None) -> str:
    """
    Return the variable, or the default where it is unset or empty.

    :raises BadEnvironment: if it is unset or empty and there is no default
    """
    value = os.environ.get(name) or default
    if value is None:
        raise BadEnvironment(f"{name} is not set: put it into the environment")
    return value


def boolean(name: str, *, default: bool) -> bool:
    """
    Return the variable as a truth value (1/0, true/false, yes/no, on/off).

    :raises BadEnvironment: for any other word
    """
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise BadEnvironment(f"{name}={value!r}: write true or false")


def integer(name: str, *, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    """
    Return the variable as a whole number of at least `minimum` and at most `maximum`.

    :raises BadEnvironment: if it is no whole number, or too small or large
    """
    value = os.environ.get(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise BadEnvironment(f"{name}={value!r}: write a whole number") from None
    if number < minimum:
        raise BadEnvironment(f"{name}={value!r}: write a whole number of at least {minimum}")
    if maximum is not None and number > maximum:
        raise BadEnvironment(f"{name}={value!r}: write a whole number of at most {maximum}")
    return number


def words(name: str, *, default: Sequence[str] = ()) -> list[str]:
    """Return the variable as a list of words separated by commas."""
    value = os.environ.get(name)
    if value is None:
        return list(default)
    return [word.strip() for word in value.split(",") if word.strip()]


def one_of(name: str, choices: Sequence[str], *, default: str) -> str:
    """
    Return the variable, which must be one of the choices.

    :raises BadEnvironment: for any other word
    """
    value = os.environ.get(name) or default
    if value not in choices:
        raise BadEnvironment(f"{name}={value!r}: write one of {', '.join(choices)}")
    return value


def database(url: str) -> dict[str, object]:
    """
    Turn postgresql://user:password@host:port/name?sslmode=require into Django's settings for a database.

    A host that begins with a slash (or is given as ?host=/dir) is the directory of a Unix socket.

    :raises BadEnvironment: if the URL is not one of PostgreSQL, or names no database
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise BadEnvironment("DATABASE_URL must begin with postgresql:// (Squill runs on PostgreSQL only)")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise BadEnvironment("DATABASE_URL names no database: end it with /squill or the like")
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
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }
