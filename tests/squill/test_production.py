"""Production does not start half-configured, and says all that is wrong in one message, with nothing secret in it."""

import json
import subprocess
import sys

import pytest

from squill.postgres.home import CHECKOUT

HIDDEN = "hunter2-hunter2-hunter2-hunter2-hunter2"
ENOUGH = {
    "SQUILL_PRODUCTION": "true",
    "SQUILL_SECRET_KEY": HIDDEN,
    "DATABASE_URL": "postgresql://squill@db.example/squill",
    "SQUILL_ALLOWED_HOSTS": "billing.example.com",
    "SQUILL_BASE_URL": "https://billing.example.com",
}
FUNCTION = ENOUGH | {
    "AWS_LAMBDA_FUNCTION_NAME": "squill-live",
    "SQUILL_DOCUMENTS_BUCKET": "documents",
    "SQUILL_MAIL": "ses",
    "SQUILL_FROM_EMAIL": "billing@example.com",
    "SQUILL_STATIC_URL": "https://billing.example.com/static/",
}


def problems(environment: dict[str, str], script: str = "import squill.settings") -> list[str]:
    """Start with this environment alone, and return what the refusal lists; nothing if it starts."""
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    if process.returncode == 0:
        return []
    last = process.stderr.partition("BadEnvironment: ")[2]
    assert last, process.stderr
    assert HIDDEN not in process.stderr
    first, *listed = last.strip().split("\n- ")
    assert first == "Squill cannot start:"
    return listed


def without(environment: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in names}


def test_what_is_enough_starts() -> None:
    assert problems(ENOUGH) == []
    assert problems(FUNCTION) == []


def test_a_laptop_needs_nothing() -> None:
    assert problems({}) == []


def test_all_that_is_missing_is_told_at_once() -> None:
    everything = [
        "SQUILL_SECRET_KEY is not set: put it into the environment",
        "DATABASE_URL is not set (nor SQUILL_DATABASE_SECRET): production needs a PostgreSQL of its own",
        "SQUILL_ALLOWED_HOSTS is not set: name the hosts that requests may come for",
        "SQUILL_BASE_URL is not set: put it into the environment",
    ]
    assert problems({"SQUILL_PRODUCTION": "true"}) == everything
    assert problems(dict.fromkeys(ENOUGH, "") | {"SQUILL_PRODUCTION": "true"}) == everything


def test_values_that_cannot_be_used_are_told_at_once_too() -> None:
    wrong = {
        "SQUILL_SECRET_KEY": "short",
        "DATABASE_URL": "mysql://squill@db.example/squill",
        "SQUILL_BASE_URL": "http://billing.example.com",
        "SQUILL_DEBUG": "true",
        "SQUILL_EVENTS_MAX_COUNT": "many",
        "SQUILL_MAIL": "pigeon",
        "SQUILL_NOW": "2026-03-01T00:00:00Z",
        "SQUILL_FAILPOINT": "here",
    }
    assert problems(ENOUGH | wrong) == [
        "DATABASE_URL must begin with postgresql:// (Squill runs on PostgreSQL only)",
        "SQUILL_MAIL='pigeon': write one of folder, ses, memory",
        "SQUILL_EVENTS_MAX_COUNT='many': write a whole number",
        "SQUILL_NOW is for tests and demos: it must not be set in production",
        "SQUILL_FAILPOINT is for tests and demos: it must not be set in production",
        "SQUILL_DEBUG shows the settings to whoever meets an error: it must not be on in production",
        "SQUILL_SECRET_KEY can be guessed: write at least 32 random letters",
        "SQUILL_BASE_URL='http://billing.example.com': write an address that begins with https://",
    ]


def test_this_very_machine_may_be_reached_without_tls() -> None:
    assert problems(ENOUGH | {"SQUILL_BASE_URL": "http://127.0.0.1:8000"}) == []


def test_mail_by_ses_needs_a_sender() -> None:
    assert problems(ENOUGH | {"SQUILL_MAIL": "ses"}) == ["SQUILL_FROM_EMAIL is not set: put it into the environment"]


def test_a_function_keeps_nothing_on_its_disk() -> None:
    given = without(FUNCTION, "SQUILL_DOCUMENTS_BUCKET", "SQUILL_MAIL", "SQUILL_STATIC_URL")
    assert [line.split(" ")[0] for line in problems(given)] == ["SQUILL_DOCUMENTS_BUCKET", "SQUILL_MAIL", "SQUILL_STATIC_URL"]


def test_a_password_in_an_address_that_cannot_be_read_is_not_repeated() -> None:
    [told] = problems(ENOUGH | {"DATABASE_URL": f"postgresql://squill:x/{HIDDEN}@db.example/squill"})
    assert told.startswith("DATABASE_URL cannot be read, from its port on: ")


def test_two_databases_are_one_too_many() -> None:
    told = problems(ENOUGH | SECRET_DATABASE, MANAGER)
    assert told == ["DATABASE_URL and SQUILL_DATABASE_SECRET are both set: leave the one out that is not meant"]


# A process that has a Secrets Manager of its own, from SECRETS_FOR_TEST, and then loads the settings.
MANAGER = """
import boto3, json, os
from moto import mock_aws
with mock_aws():
    for name, text in json.loads(os.environ.get("SECRETS_FOR_TEST", "{}")).items():
        boto3.client("secretsmanager").create_secret(Name=name, SecretString=text)
    import squill.settings as s
    assert s.SECRET_KEY == os.environ.get("EXPECTED_KEY", s.SECRET_KEY)
    assert s.SECRET_KEY_FALLBACKS == os.environ.get("EXPECTED_FALLBACKS", "").split()
    if "EXPECTED_DATABASE" in os.environ:
        database = s.DATABASES["default"]
        found = {name.lower(): database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
        found |= {name: value for name, value in database["OPTIONS"].items() if name.startswith("ssl")}
        assert found == json.loads(os.environ["EXPECTED_DATABASE"]), found
    assert s.SECRET_KEY not in os.environ.values() or "EXPECTED_KEY" in os.environ, "a secret was put into the environment"
"""
AWS = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
SECRET_DATABASE = AWS | {
    "SQUILL_DATABASE_SECRET": "database",
    "SQUILL_DATABASE_HOST": "db.example",
    "SECRETS_FOR_TEST": json.dumps({"database": json.dumps({"username": "squill", "password": "p@ss/w:rd%?#"})}),
}
BY_SECRETS = without(ENOUGH, "SQUILL_SECRET_KEY", "DATABASE_URL") | SECRET_DATABASE | {"SQUILL_SECRETS": "application"}


def with_secrets(**texts: str) -> dict[str, str]:
    return BY_SECRETS | {"SECRETS_FOR_TEST": json.dumps(json.loads(BY_SECRETS["SECRETS_FOR_TEST"]) | texts)}


def test_secrets_give_the_key_and_the_database() -> None:
    database = {"name": "squill", "user": "squill", "password": "p@ss/w:rd%?#", "host": "db.example", "port": "5432"}
    expected = {"EXPECTED_KEY": HIDDEN, "EXPECTED_DATABASE": json.dumps(database | {"sslmode": "require"})}
    assert problems(with_secrets(application=json.dumps({"SQUILL_SECRET_KEY": HIDDEN})) | expected, MANAGER) == []


def test_a_key_that_was_changed_leaves_its_sessions_and_links_valid() -> None:
    values = {"SQUILL_SECRET_KEY": HIDDEN, "SQUILL_SECRET_KEY_FALLBACKS": "older, oldest"}
    assert problems(with_secrets(application=json.dumps(values)) | {"EXPECTED_FALLBACKS": "older oldest"}, MANAGER) == []


def test_authorities_make_the_database_prove_who_it_is() -> None:
    database = {"name": "billing", "user": "squill", "password": "p@ss/w:rd%?#", "host": "/run/Postgres", "port": "6432"}
    tls = {"sslmode": "verify-full", "sslrootcert": str(CHECKOUT / "LICENSE")}
    given = {
        "SQUILL_DATABASE_CA": "LICENSE",
        "SQUILL_DATABASE_HOST": "/run/Postgres",
        "SQUILL_DATABASE_PORT": "6432",
        "SQUILL_DATABASE_NAME": "billing",
        "EXPECTED_DATABASE": json.dumps(database | tls),
    }
    assert problems(with_secrets(application=json.dumps({"SQUILL_SECRET_KEY": HIDDEN})) | given, MANAGER) == []


def test_all_that_is_wrong_with_secrets_is_told_at_once() -> None:
    given = without(with_secrets(application=f'"{HIDDEN}"', database=json.dumps({"password": HIDDEN})), "SQUILL_DATABASE_HOST")
    assert problems(given | {"SQUILL_DATABASE_SSLMODE": "verify-full", "SQUILL_DATABASE_PORT": "0"}, MANAGER) == [
        "SQUILL_SECRETS names the secret application: it is not a JSON object",
        "SQUILL_SECRET_KEY is not set: put it into the environment",
        "SQUILL_DATABASE_SSLMODE=verify-full needs SQUILL_DATABASE_CA, a file with the authorities;"
        " for Aurora it is the bundle that infra/stack/README.md says how to fetch",
        "SQUILL_DATABASE_HOST is not set: put it into the environment",
        "SQUILL_DATABASE_PORT='0': write a whole number of at least 1",
        "SQUILL_DATABASE_SECRET names the secret database: it has no username",
    ]


def test_what_a_secret_holds_is_not_repeated_where_it_is_wrong() -> None:
    values = {"SQUILL_SECRET_KEY": HIDDEN, "SQUILL_EVENTS_MAX_COUNT": HIDDEN, "SQUILL_MAIL": HIDDEN}
    assert problems(with_secrets(application=json.dumps(values)), MANAGER) == [
        "SQUILL_MAIL: write one of folder, ses, memory",
        "SQUILL_EVENTS_MAX_COUNT: write a whole number",
    ]


def test_the_environment_goes_before_the_secret() -> None:
    given = with_secrets(application=json.dumps({"SQUILL_SECRET_KEY": "k" * 40})) | {"SQUILL_MAIL": "memory"}
    assert problems(given | {"EXPECTED_KEY": "k" * 40}, MANAGER) == []


@pytest.mark.parametrize("name", ["application", "database"])
def test_a_secret_that_is_not_there_is_named(name: str) -> None:
    texts = {"application": json.dumps({"SQUILL_SECRET_KEY": HIDDEN}), "database": '{"username": "u", "password": "p"}'}
    del texts[name]
    told = "\n".join(problems(BY_SECRETS | {"SECRETS_FOR_TEST": json.dumps(texts)}, MANAGER))
    assert f"the secret {name}: there is none of that name in this region: create it, or correct the name" in told


def test_manage_starts_no_server_of_its_own_where_a_secret_names_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    from manage import needs_embedded_server  # noqa: PLC0415

    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert needs_embedded_server(["migrate"])
    monkeypatch.setenv("SQUILL_DATABASE_SECRET", "database")
    assert not needs_embedded_server(["migrate"])
