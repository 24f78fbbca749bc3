"""What the roles may do with documents, tried with moto's judge of policies, which knows resources of S3 only."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from infra.stack import templates

RESOURCES = templates.read(templates.BASE)["Resources"]


def resolved(value: Any) -> Any:
    """Return a policy with the functions of CloudFormation worked out: the documents lie in a bucket of that name."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() <= {"Fn::Sub", "Fn::GetAtt", "Ref"}:
        [found] = value.values()
        text = found if isinstance(found, str) else f"${{{'.'.join(found)}}}"
        text = text.replace("${Documents.Arn}", "arn:aws:s3:::documents")
        return text if text.startswith("arn:aws:s3:") else f"arn:aws:other:::{text}"
    return {name: resolved(each) for name, each in value.items()}


@pytest.fixture
def as_role(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Two buckets with a file each, and clients of S3 that have the rights of a role."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        for bucket in ("documents", "other"):
            boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
            boto3.client("s3").put_object(Bucket=bucket, Key="a.pdf", Body=b"%PDF")

        def make(role: str) -> Any:
            iam = boto3.client("iam")
            iam.create_user(UserName=role)
            for policy in RESOURCES[role]["Properties"]["Policies"]:
                document = json.dumps(resolved(policy["PolicyDocument"]))
                iam.put_user_policy(UserName=role, PolicyName=policy["PolicyName"], PolicyDocument=document)
            key = iam.create_access_key(UserName=role)["AccessKey"]
            return boto3.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])

        yield make


def is_allowed(call: Callable[..., Any], **parameters: str | bytes) -> bool:
    try:
        set_initial_no_auth_action_count(0)(call)(**parameters)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize(("role", "writes"), [("WebRole", False), ("JobsRole", True)])
def test_both_read_documents_and_jobs_alone_write_them(as_role: Callable[[str], Any], role: str, writes: bool) -> None:
    s3 = as_role(role)
    assert is_allowed(s3.get_object, Bucket="documents", Key="a.pdf")
    assert is_allowed(s3.list_objects_v2, Bucket="documents") is writes
    assert is_allowed(s3.put_object, Bucket="documents", Key="b.pdf", Body=b"%PDF") is writes
    assert is_allowed(s3.delete_object, Bucket="documents", Key="a.pdf") is writes


@pytest.mark.parametrize("role", ["WebRole", "JobsRole"])
def test_neither_reaches_another_bucket_or_changes_its_own(as_role: Callable[[str], Any], role: str) -> None:
    s3 = as_role(role)
    assert not is_allowed(s3.get_object, Bucket="other", Key="a.pdf")
    assert not is_allowed(s3.put_object, Bucket="other", Key="a.pdf", Body=b"")
    assert not is_allowed(s3.delete_bucket, Bucket="documents")
    assert not is_allowed(s3.delete_bucket_policy, Bucket="documents")
    assert not is_allowed(s3.list_buckets)
