"""What production must be given before Squill starts, and what it must not. Settings tell of all that is wrong in one refusal."""

import os
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from squill import env
from squill.aws import secrets
from squill.lib import clock

CHECKOUT: Final = Path(__file__).resolve().parent.parent
_SHORTEST_KEY: Final = 32
_HOW_TO_FETCH: Final = "for Aurora it is the bundle that infra/stack/README.md says how to fetch"
_HERE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def take_secrets() -> None:
    """Have the readers of squill.env find what the secret of SQUILL_SECRETS holds; refuse one that cannot be read."""
    try:
        env.supply(secrets.application_values())
    except secrets.UnreadableSecret as error:
        env.refuse(str(error))


def database_url() -> str:
    """
    Return the address of the database whose account is kept in SQUILL_DATABASE_SECRET; empty where that is not set.

    The connection is encrypted; where SQUILL_DATABASE_CA names the authorities, the server must also prove who it is.
    """
    if not os.environ.get("SQUILL_DATABASE_SECRET"):
        return ""
    authorities = env.text("SQUILL_DATABASE_CA", "")
    usual = "verify-full" if authorities else "require"
    options = {"sslmode": env.one_of("SQUILL_DATABASE_SSLMODE", ("disable", "require", "verify-full"), default=usual)}
    if authorities:
        options["sslrootcert"] = str(CHECKOUT / authorities)
        if not (CHECKOUT / authorities).is_file():
            env.refuse(f"SQUILL_DATABASE_CA={authorities!r}: there is no such file; {_HOW_TO_FETCH}")
    elif options["sslmode"] == "verify-full":
        env.refuse(f"SQUILL_DATABASE_SSLMODE=verify-full needs SQUILL_DATABASE_CA, a file with the authorities; {_HOW_TO_FETCH}")
    # As options, since a host may also be the folder of a socket.
    options["host"] = env.text("SQUILL_DATABASE_HOST")
    options["port"] = str(env.integer("SQUILL_DATABASE_PORT", default=5432, minimum=1, maximum=65535))
    name = quote(env.text("SQUILL_DATABASE_NAME", "squill"), safe="")
    try:
        account = secrets.database_account()
    except secrets.UnreadableSecret as error:
        env.refuse(str(error))
        return ""
    login = f"{quote(account.username, safe='')}:{quote(account.password, safe='')}" if account else ""
    return f"postgresql://{login}@/{name}?{urlencode(options, quote_via=quote)}"


def check() -> None:
    """Refuse what production lacks, and what is for tests and demos only."""
    for name in (clock.PINNED_CLOCK_VARIABLE, "SQUILL_FAILPOINT"):
        if os.environ.get(name):
            env.refuse(f"{name} is for tests and demos: it must not be set in production")
    if env.boolean("SQUILL_DEBUG", default=False):
        env.refuse("SQUILL_DEBUG shows the settings to whoever meets an error: it must not be on in production")
    key = env.text("SQUILL_SECRET_KEY")
    if key and len(key) < _SHORTEST_KEY:
        env.refuse(f"SQUILL_SECRET_KEY can be guessed: write at least {_SHORTEST_KEY} random letters")
    given = [name for name in ("DATABASE_URL", "SQUILL_DATABASE_SECRET") if env.text(name, "")]
    if not given:
        env.refuse("DATABASE_URL is not set (nor SQUILL_DATABASE_SECRET): production needs a PostgreSQL of its own")
    if len(given) > 1:
        env.refuse("DATABASE_URL and SQUILL_DATABASE_SECRET are both set: leave the one out that is not meant")
    if not env.words("SQUILL_ALLOWED_HOSTS"):
        env.refuse("SQUILL_ALLOWED_HOSTS is not set: name the hosts that requests may come for")
    _check_base_url()
    if env.text("SQUILL_MAIL", "folder") == "ses":
        env.text("SQUILL_FROM_EMAIL")
    if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        _check_function()


def _check_base_url() -> None:
    address = env.text("SQUILL_BASE_URL")
    parts = urlsplit(address)
    if address and not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)):
        env.refuse(f"SQUILL_BASE_URL={address!r}: write an address that begins with https://")


def _check_function() -> None:
    """Refuse what would lie on the disk of a Lambda function, which is gone with it."""
    if not env.text("SQUILL_DOCUMENTS_BUCKET", ""):
        env.refuse("SQUILL_DOCUMENTS_BUCKET is not set: a Lambda function has no disk that documents could stay on")
    if env.text("SQUILL_MAIL", "folder") != "ses":
        env.refuse("SQUILL_MAIL is not ses: a Lambda function has no folder that mails could stay in")
    if not urlsplit(env.text("SQUILL_STATIC_URL", "")).netloc:
        env.refuse("SQUILL_STATIC_URL is not absolute: behind API Gateway a path alone is cached with the wrong prefix")
