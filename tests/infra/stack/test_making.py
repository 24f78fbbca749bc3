"""Stacks are made, changed, or left as they are, and what is wrong is told before AWS is asked or in CloudFormation's words."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from infra.stack import __main__ as command
from infra.stack import making, settings, templates

BASE = """
Parameters:
  Stage: {Type: String}
  Days: {Type: Number, Default: 7}
  Domain: {Type: String}
Resources:
  Queue: {Type: "AWS::SQS::Queue", Properties: {QueueName: !Sub "squill-${Stage}", MessageRetentionPeriod: !Ref Days}}
Outputs:
  QueueName: {Value: !GetAtt Queue.QueueName}
"""
WATCH = """
Parameters:
  Stage: {Type: String}
  QueueName: {Type: String}
Resources:
  Topic: {Type: "AWS::SNS::Topic", Properties: {TopicName: !Sub "${QueueName}-alarms"}}
Outputs:
  TopicArn: {Value: !Ref Topic}
"""


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty account, and two small templates in the place of the real ones, which need more of AWS than moto has."""
    for name in ("base", "watch"):
        (tmp_path / f"{name}.yaml").write_text(BASE if name == "base" else WATCH)
    base, watch = tmp_path / "base.yaml", tmp_path / "watch.yaml"
    monkeypatch.setattr(making, "TEMPLATES", (base, watch))
    monkeypatch.setattr(making, "BASE", base)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield boto3.client("cloudformation")


def names(cloud: Any) -> list[str]:
    return sorted(stack["StackName"] for stack in cloud.describe_stacks()["Stacks"])


def test_both_stacks_are_made_and_the_second_is_told_of_the_first(cloud: Any) -> None:
    found = making.apply("dev", {"Stage": "dev", "Domain": "a.example"})
    assert names(cloud) == ["squill-dev-base", "squill-dev-watch"]
    assert found["QueueName"] == "squill-dev"
    assert found["TopicArn"].endswith(":squill-dev-alarms")
    assert making.outputs("dev") == {"QueueName": "squill-dev"}


def test_again_changes_what_differs_and_nothing_else(cloud: Any) -> None:
    making.apply("dev", {"Stage": "dev", "Domain": "a.example"})
    making.apply("dev", {"Stage": "dev", "Domain": "a.example", "Days": "9"})
    assert names(cloud) == ["squill-dev-base", "squill-dev-watch"]
    [stack] = cloud.describe_stacks(StackName="squill-dev-base")["Stacks"]
    assert {"ParameterKey": "Days", "ParameterValue": "9"} in stack["Parameters"]


def test_nothing_to_change_is_no_error(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = making.apply("dev", {"Stage": "dev", "Domain": "a.example"})
    make = BaseClient._make_api_call  # type: ignore[attr-defined]

    def refuse(client: Any, operation: str, parameters: Any) -> Any:
        if operation == "UpdateStack":
            about: Any = {"Error": {"Code": "ValidationError", "Message": "No updates are to be performed."}}
            raise ClientError(about, operation)
        return make(client, operation, parameters)

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    assert making.apply("dev", {"Stage": "dev", "Domain": "a.example"}) == found


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"Stage": "dev"}, r"^base\.yaml needs Domain: write them into the file of parameters$"),
        ({"Stage": "dev", "Domain": "a", "Day": "9"}, r"^no template has a parameter Day: there are Days, Domain, "),
    ],
)
def test_parameters_that_do_not_fit_are_told_before_anything_is_made(cloud: Any, parameters: dict[str, str], told: str) -> None:
    with pytest.raises(making.StackError, match=told):
        making.apply("dev", parameters)
    assert names(cloud) == []


def test_a_stack_that_is_not_there_is_named(cloud: Any) -> None:
    with pytest.raises(making.StackError, match=r"^there is no stack squill-dev-base in .*: make aws-stack STAGE=dev$"):
        making.outputs("dev")


def test_what_failed_first_is_told() -> None:
    class Client:
        def describe_stack_events(self, StackName: str) -> dict[str, Any]:
            assert StackName == "squill-dev-base"
            older = {"LogicalResourceId": "Old", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "long ago"}
            return {
                "StackEvents": [
                    {"LogicalResourceId": "squill-dev-base", "ResourceStatus": "ROLLBACK_IN_PROGRESS"},
                    {"LogicalResourceId": "Later", "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "cancelled"},
                    {
                        "LogicalResourceId": "Database",
                        "ResourceStatus": "CREATE_FAILED",
                        "ResourceStatusReason": "too old",
                    },
                    {"LogicalResourceId": "squill-dev-base", "ResourceStatusReason": "User Initiated"},
                    older,
                ]
            }

    assert making._first_failure(Client(), "squill-dev-base") == "Database: too old"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, r"is not there: copy infra/stack/parameters\.example\.json"),
        ("{", r"is no JSON: "),
        ('{"live": {}}', r"has no parameters for dev$"),
        ("[]", r"has no parameters for dev$"),
    ],
)
def test_a_file_of_parameters_that_cannot_be_used_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "parameters.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(making.StackError, match=told):
        making.read_parameters(file, "dev")


def test_parameters_are_texts_as_cloudformation_wants_them(tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    file.write_text('{"dev": {"SubnetIds": ["a", "b"], "Reader": true, "MinCapacity": 0.5, "Domain": "a.example"}}')
    assert making.read_parameters(file, "dev") == {
        "Stage": "dev",
        "SubnetIds": "a,b",
        "Reader": "true",
        "MinCapacity": "0.5",
        "Domain": "a.example",
    }


def test_the_command_makes_and_then_writes(
    cloud: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "parameters.json"
    given.write_text('{"dev": {"Domain": "a.example"}}')
    assert command.main(["create", "--stage", "dev", "--parameters", str(given)]) == 0
    assert "QueueName: squill-dev\n" in capsys.readouterr().out
    file = tmp_path / "zappa_settings.json"
    file.write_text(settings.ZAPPA_SETTINGS.read_text())
    # This small stack has not the outputs of the real one, and nothing is written.
    assert command.main(["settings", "--stage", "dev", "--file", str(file)]) == 1
    assert capsys.readouterr().err == "the stack has no output DomainName: bring it up to date with make aws-stack\n"
    whole = {name: "x" for name in templates.read(templates.BASE)["Outputs"]}
    monkeypatch.setattr(making, "outputs", lambda *_arguments, **_words: whole)
    assert command.main(["settings", "--stage", "dev", "--file", str(file)]) == 0
    assert json.loads(file.read_text())["dev"]["s3_bucket"] == "x"
    assert "changed dev.s3_bucket\n" in capsys.readouterr().out


def test_without_a_region_aws_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    assert command.main(["settings", "--stage", "dev"]) == 1
    assert capsys.readouterr().err == "AWS cannot be asked: You must specify a region.\n"
