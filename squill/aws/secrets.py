"""
Values that no environment may hold, read from AWS Secrets Manager by the names that the environment does hold.

SQUILL_SECRETS names one secret whose JSON has variables for members (SQUILL_SECRET_KEY and so on). SQUILL_DATABASE_SECRET names
the one with the account that the application signs in to the database with, SQUILL_DATABASE_OWNER_SECRET the one with the owner
of the tables, which RDS keeps and changes by itself. Each is read once a process; where none is set, nothing of AWS is imported.
The values go to squill.env and to Django's settings, never into os.environ, which the processes that are started here would
inherit.
"""

import json
import logging
import os
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)
SECRETS_VARIABLE = "SQUILL_SECRETS"
DATABASE_SECRET_VARIABLE = "SQUILL_DATABASE_SECRET"  # noqa: S105 (the name of a variable)
OWNER_SECRET_VARIABLE = "SQUILL_DATABASE_OWNER_SECRET"  # noqa: S105 (the name of a variable)
_known: dict[str, dict[str, str]] = {}
_WHAT_TO_DO = {
    "AccessDeniedException": "it may not be read: allow the function's role secretsmanager:GetSecretValue on it",
    "DecryptionFailure": "it cannot be decrypted: allow the function's role kms:Decrypt on the key it is encrypted with",
    "ResourceNotFoundException": "there is none of that name in this region: create it, or correct the name",
    "InvalidRequestException": "it cannot be read now: look whether it is about to be deleted",
}


class UnreadableSecret(Exception):
    """A secret is not there, may not be read, or does not hold what it should. The message says nothing that is in it."""


@dataclass(frozen=True, slots=True)
class Account:
    """With what the application signs in to the database."""

    username: str
    password: str = field(repr=False)


def application_values() -> dict[str, str]:
    """
    Return the variables that the secret of SQUILL_SECRETS holds; none where it is not set.

    :raises UnreadableSecret: if it cannot be read, or is no JSON object of texts
    """
    name = os.environ.get(SECRETS_VARIABLE)
    return dict(_read(SECRETS_VARIABLE, name)) if name else {}


def database_account(*, refresh: bool = False) -> Account | None:
    """
    Return what the secret of SQUILL_DATABASE_SECRET holds, or None where it is not set; `refresh` reads it again.

    :raises UnreadableSecret: if it cannot be read, or has no username and password
    """
    return _account(DATABASE_SECRET_VARIABLE, refresh=refresh)


def owner_account() -> Account | None:
    """
    Return what the secret of SQUILL_DATABASE_OWNER_SECRET holds now, or None where it is not set: who owns the tables.

    :raises UnreadableSecret: as database_account; also if the function is one that may not know it
    """
    return _account(OWNER_SECRET_VARIABLE, refresh=True)


def database_password(*, refresh: bool) -> str | None:
    """
    Return the database's password, or None where SQUILL_DATABASE_SECRET is not set.

    With `refresh`, for when PostgreSQL has refused the one that is known, the secret is read again. If that fails, the reason is
    logged and the known one returned: the refusal of the database is then what the caller has to report.
    """
    try:
        account = database_account(refresh=refresh)
    except UnreadableSecret as error:
        known = _known.get(os.environ.get(DATABASE_SECRET_VARIABLE, ""), {}).get("password")
        if not (refresh and known):
            raise
        logger.error("the database's password could not be read again: %s", error)
        return known
    return account.password if account else None


def _account(variable: str, *, refresh: bool) -> Account | None:
    name = os.environ.get(variable)
    if not name:
        return None
    values = _read(variable, name, refresh=refresh)
    missing = [member for member in ("username", "password") if not values.get(member)]
    if missing:
        raise UnreadableSecret(f"{variable} names the secret {name}: it has no {' and no '.join(missing)}")
    return Account(values["username"], values["password"])


def _read(variable: str, name: str, *, refresh: bool = False) -> dict[str, str]:
    if refresh or name not in _known:
        _known[name] = _parsed(variable, name, _fetch(variable, name))
    return _known[name]


def _fetch(variable: str, name: str) -> str:
    import boto3  # noqa: PLC0415 (a start without secrets of AWS loads nothing of it)
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: PLC0415

    # A start waits for this, and API Gateway for the start.
    patience = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
    try:
        answer = boto3.client("secretsmanager", config=patience).get_secret_value(SecretId=name)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise UnreadableSecret(f"{variable} names the secret {name}: {_WHAT_TO_DO.get(code, f'AWS answers {code}')}") from error
    except (ConnectionError, HTTPClientError) as error:
        hint = "in a VPC without a way to the Internet it needs the interface endpoint of secretsmanager"
        kind = type(error).__name__
        raise UnreadableSecret(f"{variable} names the secret {name}: Secrets Manager does not answer ({kind}); {hint}") from error
    except BotoCoreError as error:  # no region, no credentials: its own words say so
        raise UnreadableSecret(f"{variable} names the secret {name}: AWS cannot be asked for it: {error}") from error
    return str(answer.get("SecretString", ""))


def _parsed(variable: str, name: str, text: str) -> dict[str, str]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise UnreadableSecret(f"{variable} names the secret {name}: it is not a JSON object") from None
    # RDS writes a number for the port.
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
