"""Secrets are read once, by name; what cannot be read is told without what is in it; a changed password is read again."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws

from squill.aws import secrets

HIDDEN = "hunter2-hunter2"


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A Secrets Manager with nothing in it."""
    monkeypatch.setattr(secrets, "_known", {})
    for name, value in (
        ("AWS_DEFAULT_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("SQUILL_SECRETS", "squill-dev-application"),
        ("SQUILL_DATABASE_SECRET", "rds-squill-dev"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        yield boto3.client("secretsmanager")


def refusing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Have AWS answer every question with an error."""

    def refuse(*_arguments: Any, **_words: Any) -> Any:
        raise error

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"not {HIDDEN}"}}, "GetSecretValue")


def test_without_names_there_are_none_and_aws_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, AssertionError("AWS was asked"))
    monkeypatch.delenv("SQUILL_SECRETS", raising=False)
    monkeypatch.setenv("SQUILL_DATABASE_SECRET", "")
    assert secrets.application_values() == {}
    assert secrets.database_account() is None
    assert secrets.database_password(refresh=True) is None


def test_members_of_the_secret_are_variables(manager: Any) -> None:
    values = {"SQUILL_SECRET_KEY": "k" * 64, "SQUILL_SECRET_KEY_FALLBACKS": "old,older"}
    manager.create_secret(Name="squill-dev-application", SecretString=json.dumps(values))
    assert secrets.application_values() == values


def test_a_secret_is_found_by_its_arn(manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = manager.create_secret(Name="squill-dev-application", SecretString='{"SQUILL_SECRET_KEY": "k"}')
    monkeypatch.setenv("SQUILL_SECRETS", made["ARN"])
    assert secrets.application_values() == {"SQUILL_SECRET_KEY": "k"}


def test_a_secret_is_read_once_in_a_process(manager: Any) -> None:
    manager.create_secret(Name="rds-squill-dev", SecretString=json.dumps({"username": "squill", "password": "first"}))
    assert secrets.database_account() == secrets.Account("squill", "first")
    manager.put_secret_value(SecretId="rds-squill-dev", SecretString=json.dumps({"username": "squill", "password": "second"}))
    assert secrets.database_account() == secrets.Account("squill", "first")
    assert secrets.database_password(refresh=False) == "first"


def test_a_password_that_rds_has_changed_is_read_again(manager: Any) -> None:
    manager.create_secret(Name="rds-squill-dev", SecretString=json.dumps({"username": "squill", "password": "first"}))
    assert secrets.database_password(refresh=False) == "first"
    manager.put_secret_value(SecretId="rds-squill-dev", SecretString=json.dumps({"username": "squill", "password": "second"}))
    assert secrets.database_password(refresh=True) == "second"
    assert secrets.database_password(refresh=False) == "second"


def test_a_known_password_stays_where_the_secret_cannot_be_read_again(
    manager: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    manager.create_secret(Name="rds-squill-dev", SecretString=json.dumps({"username": "squill", "password": HIDDEN}))
    assert secrets.database_password(refresh=False) == HIDDEN
    refusing(monkeypatch, client_error("ThrottlingException"))
    with caplog.at_level(logging.ERROR):
        assert secrets.database_password(refresh=True) == HIDDEN
    assert "rds-squill-dev: AWS answers ThrottlingException" in caplog.text
    assert HIDDEN not in caplog.text


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDeniedException", "allow the function's role secretsmanager:GetSecretValue on it"),
        ("ResourceNotFoundException", "there is none of that name in this region"),
        ("DecryptionFailure", "kms:Decrypt"),
        ("SomethingNew", "AWS answers SomethingNew"),
    ],
)
def test_a_refusal_of_aws_says_what_to_do(manager: Any, monkeypatch: pytest.MonkeyPatch, code: str, advice: str) -> None:
    refusing(monkeypatch, client_error(code))
    with pytest.raises(secrets.UnreadableSecret, match=r"^SQUILL_SECRETS names the secret squill-dev-application: ") as refused:
        secrets.application_values()
    assert advice in str(refused.value)
    assert HIDDEN not in str(refused.value)


def test_a_secret_that_is_not_there_is_named(manager: Any) -> None:
    with pytest.raises(secrets.UnreadableSecret, match=r"^SQUILL_DATABASE_SECRET names the secret rds-squill-dev: there is none"):
        secrets.database_account()


def test_silence_points_to_the_endpoint(manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, ConnectTimeoutError(endpoint_url="https://secretsmanager"))
    with pytest.raises(secrets.UnreadableSecret, match=r"does not answer \(ConnectTimeoutError\); in a VPC .* endpoint"):
        secrets.application_values()


@pytest.mark.parametrize("text", [HIDDEN, f'["{HIDDEN}"]', f'{{"SQUILL_SECRET_KEY": "{HIDDEN}"', '"x"'])
def test_what_is_no_json_object_is_refused_and_not_repeated(manager: Any, text: str) -> None:
    manager.create_secret(Name="squill-dev-application", SecretString=text)
    with pytest.raises(secrets.UnreadableSecret, match=r"it is not a JSON object$") as refused:
        secrets.application_values()
    assert HIDDEN not in str(refused.value)


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"username": "squill"}, "it has no password"),
        ({"username": "", "password": HIDDEN}, "it has no username"),
        ({}, "it has no username and no password"),
    ],
)
def test_an_account_needs_both_parts(manager: Any, values: dict[str, str], missing: str) -> None:
    manager.create_secret(Name="rds-squill-dev", SecretString=json.dumps(values))
    with pytest.raises(secrets.UnreadableSecret, match=f"{missing}$") as refused:
        secrets.database_account()
    assert HIDDEN not in str(refused.value)


def test_the_owner_is_read_anew_each_time_since_rds_changes_its_password(manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert secrets.owner_account() is None
    monkeypatch.setenv("SQUILL_DATABASE_OWNER_SECRET", "rds-owner")
    with pytest.raises(
        secrets.UnreadableSecret, match=r"^SQUILL_DATABASE_OWNER_SECRET names the secret rds-owner: there is none"
    ):
        secrets.owner_account()
    manager.create_secret(Name="rds-owner", SecretString='{"username": "squill", "password": "first"}')
    assert secrets.owner_account() == secrets.Account("squill", "first")
    manager.put_secret_value(SecretId="rds-owner", SecretString='{"username": "squill", "password": "second"}')
    assert secrets.owner_account() == secrets.Account("squill", "second")


def test_an_account_does_not_show_its_password() -> None:
    assert repr(secrets.Account("squill", HIDDEN)) == "Account(username='squill')"
