"""
Let the first people and systems into a deployed stage.

    python -m infra.access key STAGE NAME --scope events:write --scope read
    python -m infra.access staff STAGE EMAIL

What a function prints lies in CloudWatch Logs for months. So the key, or the password, is made on this machine and printed here,
and only its hash travels: `zappa manage STAGE_jobs "create_api_key NAME --scope … --kept-as PREFIX:HASH"` by another name.
"""

import argparse
import json
import os
import secrets
import sys

import boto3
import django
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


class AccessError(Exception):
    """Nobody was let in; the message says why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m infra.access", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    key = commands.add_parser("key", help="make an API key and print it")
    key.add_argument("stage")
    key.add_argument("name", type=_word, help="the system that will use it, without blanks")
    key.add_argument("--scope", action="append", required=True)
    staff = commands.add_parser("staff", help="make a person who may do everything in the finance desk, and print the password")
    staff.add_argument("stage")
    staff.add_argument("email", type=_word)
    given = parser.parse_args(arguments)
    try:
        print(make_key(given.stage, given.name, given.scope) if given.command == "key" else make_staff(given.stage, given.email))
    except AccessError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make_key(stage: str, name: str, scopes: list[str]) -> str:
    """
    Return the text of a key that the stage takes from now on.

    :raises AccessError: if the stage cannot be reached, or refuses
    """
    _set_up()
    from customers.api_keys import new_secret  # noqa: PLC0415 (needs Django set up)

    secret = new_secret()
    _manage(stage, ["create_api_key", name, *(f"--scope={scope}" for scope in scopes), f"--kept-as={secret.kept_as}"])
    return secret.text


def make_staff(stage: str, email: str) -> str:
    """
    Return the password of a person who may do everything in the stage's finance desk.

    :raises AccessError: if the stage cannot be reached, or refuses
    """
    _set_up()
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415 (needs Django set up)

    password = secrets.token_urlsafe(12)
    _manage(stage, ["create_staff", email, f"--password-hash={make_password(password)}"])
    return password


def _manage(stage: str, words: list[str]) -> None:
    """Run a command of manage.py in the stage's jobs function, which gets it split at blanks."""
    function = f"squill-{stage}-jobs"
    patience = Config(read_timeout=300, retries={"total_max_attempts": 1, "mode": "standard"})
    try:
        payload = json.dumps({"manage": " ".join(words)})
        answer = boto3.client("lambda", config=patience).invoke(FunctionName=function, Payload=payload)
    except (BotoCoreError, ClientError) as error:
        raise AccessError(f"{function} could not be called: {error}") from error
    if "FunctionError" in answer:
        said = json.loads(answer["Payload"].read())
        raise AccessError(f"{function} refused: {said.get('errorMessage', said)}")


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "squill.settings")
    django.setup()


def _word(text: str) -> str:
    if not text or text.split() != [text]:
        raise argparse.ArgumentTypeError(f"{text!r} has blanks, which a function cannot be given here")
    return text


if __name__ == "__main__":
    sys.exit(main())
