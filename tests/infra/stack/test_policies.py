"""No policy allows everything, or what nobody calls: what AWS is asked for is compared with what it is allowed."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import zappa
from botocore.client import BaseClient
from django.core.mail import EmailMessage
from moto import mock_aws

from billing.delivery.ses import Backend
from billing.delivery.storage import DocumentStorage
from infra.stack import templates
from squill.aws import secrets
from squill.postgres.home import CHECKOUT
from tests.infra.stack import policies
from tests.infra.stack.policies import Statement, allowed, of_deployer, of_functions

# (policy, statement) -> why no resource is named
NAMELESS = {
    ("FunctionsPolicy", "Traces"): "X-Ray knows no resources here",
    (
        "FunctionsPolicy",
        "NetworkInterfaces",
    ): "Lambda makes them as it likes; describing knows no resources; the code itself is denied",
    ("FunctionsPolicy", "NetworkInterfacesNotByCode"): "it denies",
    ("deployer-policy.json", "LookAround"): "describing knows no resources",
    ("deployer-zappa-policy.json", "LookAround"): "describing knows no resources",
}
# Ends of names that cannot be known before the thing is made, or that are not ours.
UNNAMED = {
    "arn:aws:ec2:*:*:security-group/*": "EC2 makes the id",
    "arn:aws:ec2:*:*:security-group-rule/*": "EC2 makes the id",
    "arn:aws:ec2:*:*:vpc/*": "of the deployer's choice",
    "arn:aws:ec2:*:*:subnet/*": "of the deployer's choice",
    "arn:aws:ec2:*:*:route-table/*": "of the deployer's choice",
    "arn:aws:ec2:*:*:vpc-endpoint/*": "EC2 makes the id",
    "arn:aws:route53:::hostedzone/*": "the private names of endpoints lie in zones of AWS",
    "arn:aws:kms:*:*:key/*": "the keys of AWS in the account, and only by way of RDS and Secrets Manager",
    "arn:aws:rds::*:global-cluster:*": "RDS asks whether a cluster is a part of one",
    "arn:aws:ses:*:*:identity/*": "the mail domain is of the deployer's choice",
    "arn:aws:apigateway:*::/restapis/*": "API Gateway makes the id",
    "arn:aws:apigateway:*::/domainnames/*": "of the deployer's choice",
    "arn:aws:cloudfront::*:distribution/*": "API Gateway makes the distribution of an edge-optimised domain",
    "${Documents.Arn}/*": "every document",
}
# What Lambda does in the function's name -> the setting of zappa that makes it do so
BY_LAMBDA = {
    "logs:CreateLogStream": "log_level",
    "logs:PutLogEvents": "log_level",
    "xray:PutTraceSegments": "xray_tracing",
    "xray:PutTelemetryRecords": "xray_tracing",
    "ec2:CreateNetworkInterface": "vpc_config",
    "ec2:DescribeNetworkInterfaces": "vpc_config",
    "ec2:DescribeSubnets": "vpc_config",
    "ec2:DeleteNetworkInterface": "vpc_config",
    "ec2:AssignPrivateIpAddresses": "vpc_config",
    "ec2:UnassignPrivateIpAddresses": "vpc_config",
    "sqs:SendMessage": "dead_letter_arn",
}
# A call of the code -> what has to be allowed for it
NEEDS = {
    ("s3", "HeadObject"): {"s3:GetObject", "s3:ListBucket"},  # without the second, what is not there answers 403
    ("s3", "GetObject"): {"s3:GetObject"},
    ("s3", "PutObject"): {"s3:PutObject"},
    ("s3", "DeleteObject"): {"s3:DeleteObject"},
    ("sesv2", "SendEmail"): {"ses:SendEmail", "ses:SendRawEmail"},  # SES asks for the second where the mail is given whole
    ("secretsmanager", "GetSecretValue"): {"secretsmanager:GetSecretValue"},
    ("lambda", "Invoke"): {"lambda:InvokeFunction"},
}


def _id(statement: Statement) -> str:
    return f"{statement.policy}-{statement.sid}"


EVERY = [*of_functions(), *of_deployer()]


@pytest.mark.parametrize("statement", EVERY, ids=_id)
def test_actions_are_written_out_and_exist(statement: Statement) -> None:
    assert [action for action in statement.actions if "*" in action] == []
    assert [action for action in statement.actions if not policies.exists(action)] == []
    assert len(set(statement.actions)) == len(statement.actions)


@pytest.mark.parametrize("statement", EVERY, ids=_id)
def test_resources_are_named_where_they_can_be(statement: Statement) -> None:
    if (statement.policy, statement.sid) in NAMELESS:
        assert statement.resources == ("*",)
        return
    for resource in statement.resources:
        # The account and the region may be any; then comes a name that begins with ours.
        name = re.sub(r"^arn:aws:[\w-]+:\*?:\*?:", "", resource)
        assert "*" not in re.sub(r"(squill-|rds!cluster-|aws-service-role/).*$", "", name) or resource in UNNAMED, resource


def test_what_knows_resources_is_not_among_the_nameless() -> None:
    able = {
        (each.policy, action)
        for each in EVERY
        if each.resources == ("*",) and each.effect == "Allow"
        for action in each.actions
        if policies.can_name_resources(action)
    }
    # Lambda's own documents give these for every interface, whose ids it makes.
    assert able <= {("FunctionsPolicy", action) for action in BY_LAMBDA if action.startswith("ec2:")}


def test_no_exception_is_left_over() -> None:
    assert NAMELESS.keys() == {(each.policy, each.sid) for each in EVERY if each.resources == ("*",)}
    assert UNNAMED.keys() <= {resource for each in EVERY for resource in each.resources}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[tuple[str, str]]]:
    """What AWS is asked, as pairs of a service and an operation; a moto answers."""
    asked: set[tuple[str, str]] = set()
    make = BaseClient._make_api_call  # type: ignore[attr-defined]

    def note(client: Any, operation: str, parameters: Any) -> Any:
        asked.add((client.meta.service_model.service_name, operation))
        return make(client, operation, parameters)

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        boto3.client("sesv2").create_email_identity(EmailIdentity="squill.example")
        boto3.client("secretsmanager").create_secret(Name="squill-database", SecretString='{"username": "u", "password": "p"}')
        monkeypatch.setattr(BaseClient, "_make_api_call", note)
        yield asked


def _keep_a_document() -> None:
    storage = DocumentStorage(bucket_name="documents", default_acl=None, file_overwrite=False)
    from django.core.files.base import ContentFile  # noqa: PLC0415

    assert not storage.exists("a.pdf")
    storage.save("a.pdf", ContentFile(b"%PDF"))
    with storage.open("a.pdf", "rb") as file:
        assert file.read() == b"%PDF"
    storage.delete("a.pdf")


def test_the_jobs_role_may_what_the_code_asks_and_no_more(calls: set[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    _keep_a_document()
    assert Backend().send_messages([EmailMessage("s", "b", "billing@squill.example", ["a@example.com"])]) == 1
    monkeypatch.setenv("SQUILL_DATABASE_SECRET", "squill-database")
    assert secrets.database_password(refresh=True) == "p"
    calls |= _named_in_sources()
    assert allowed("JobsRole") == {action for call in calls for action in NEEDS[call]} | BY_LAMBDA.keys()


def _named_in_sources() -> set[tuple[str, str]]:
    """The one call that no test can make without a function that runs: find it in the sources."""
    sources = "\n".join(path.read_text() for path in (CHECKOUT / "squill").rglob("*.py"))
    return {("lambda", "Invoke")} if re.search(r"client\(\s*\"lambda\"", sources) and ".invoke(" in sources else set()


def test_the_web_role_may_read_documents_send_mail_and_read_secrets() -> None:
    # Signing a link asks AWS nothing; the link works with the rights of who signed it.
    own = {"s3:GetObject", "ses:SendEmail", "ses:SendRawEmail", "secretsmanager:GetSecretValue"}
    assert allowed("WebRole") == own | (BY_LAMBDA.keys() - {"sqs:SendMessage"})


def test_what_lambda_does_itself_is_switched_on_in_every_stage() -> None:
    settings = json.loads((CHECKOUT / "zappa_settings.json").read_text())
    for stage in ("dev", "staging", "live"):
        jobs = settings["dev"] | settings[stage] | settings[f"{stage}_jobs"]
        assert [setting for setting in set(BY_LAMBDA.values()) if not jobs.get(setting)] == []


def test_code_in_a_function_may_not_make_network_interfaces() -> None:
    granted, denied = (each for each in of_functions() if each.sid.startswith("NetworkInterfaces"))
    assert (denied.effect, denied.actions) == ("Deny", granted.actions)
    assert [arn["Fn::Sub"].rpartition(":")[2] for arn in denied.condition["ArnEquals"]["lambda:SourceFunctionArn"]] == [
        "squill-${Stage}",
        "squill-${Stage}-jobs",
    ]


def test_only_lambda_takes_the_roles_and_only_ses_of_this_account_writes_to_the_topic() -> None:
    resources = templates.read(templates.BASE)["Resources"]
    roles = [about["Properties"] for about in resources.values() if about["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 2
    for role in roles:
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust == {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        assert role["ManagedPolicyArns"] == [{"Ref": "FunctionsPolicy"}]
    [writing] = resources["ReportsTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (writing["Principal"], writing["Action"]) == ({"Service": "ses.amazonaws.com"}, "sns:Publish")
    assert writing["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_who_deploys_may_what_cloudformation_does_for_the_templates() -> None:
    granted = {action for each in of_deployer() if each.policy == "deployer-policy.json" for action in each.actions}
    own = {
        f"cloudformation:{verb}"
        for verb in ("CreateStack", "UpdateStack", "DeleteStack", "DescribeStacks", "DescribeStackEvents")
    }
    # Interface endpoints have private names, and deleting a cluster leaves a snapshot.
    around = {"route53:AssociateVPCWithHostedZone"}
    needed = {action for handlers in policies.handlers().values() for actions in handlers.values() for action in actions}
    assert sorted(granted - needed - own - around) == []
    for resource_type, handlers in policies.handlers().items():
        making = {action for action in handlers["create"] if re.search(r":(Create|Put|Subscribe|Authorize|SetTopic)", action)}
        assert making & granted, f"nothing lets CloudFormation make {resource_type}"
        if "delete" in handlers:
            ending = {action for action in handlers["delete"] if re.search(r":(Delete|Unsubscribe|Revoke|SetTopic)", action)}
            assert ending & granted, f"nothing lets CloudFormation delete {resource_type}"


def test_who_deploys_may_what_zappa_asks() -> None:
    package = Path(zappa.__file__).parent
    source = "\n".join((package / name).read_text() for name in ("core.py", "cli.py", "utilities.py"))
    asked = {re.sub(r"_", "", name) for name in re.findall(r"\.([a-z]+(?:_[a-z0-9]+)*)\(", source)}
    other_names = {
        "lambda:InvokeFunction": "invoke",
        "s3:PutObject": "upload_file",
        "s3:ListBucket": "head_bucket",
        "apigateway:GET": "get_rest_apis",
        "apigateway:POST": "create_deployment",
        "apigateway:PUT": "update_rest_api",
        "apigateway:PATCH": "update_stage",
        "apigateway:DELETE": "delete_rest_api",
    }
    # Lambda itself looks, with the rights of who makes the function: at the role, the package and the network.
    by_lambda = {
        "iam:PassRole",
        "iam:GetRole",
        "s3:GetObject",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    }
    granted = {action for each in of_deployer() if each.policy == "deployer-zappa-policy.json" for action in each.actions}
    assert other_names.keys() | by_lambda <= granted
    for action in sorted(granted - by_lambda):
        name = other_names.get(action, action.partition(":")[2])
        assert name.replace("_", "").lower() in asked, f"zappa does not call {action}"


@pytest.mark.parametrize("name", policies.DEPLOYER)
def test_a_policy_of_the_deployer_is_not_too_long_for_iam(name: str) -> None:
    assert len(re.sub(r"\s", "", (policies.FOLDER / name).read_text())) <= 6144


def test_who_deploys_hands_to_lambda_only_roles_of_squill() -> None:
    [passing] = [each for each in of_deployer() if "iam:PassRole" in each.actions]
    assert passing.resources == ("arn:aws:iam::*:role/squill-*",)
    assert passing.condition == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
