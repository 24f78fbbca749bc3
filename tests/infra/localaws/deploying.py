"""Small functions, deployed as zappa deploys a large one."""

import io
import json
import zipfile
from typing import Any

from infra.localaws.local_aws import LocalAws


def zipped(code: str, **files: str) -> bytes:
    """A zip with a handler and other files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in {"handler.py": code, **files}.items():
            archive.writestr(name, content)
    return stream.getvalue()


def deploy(aws: LocalAws, name: str, code: str, **settings: Any) -> None:
    iam = aws.client("iam")
    if name not in [role["RoleName"] for role in iam.list_roles()["Roles"]]:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    role = iam.get_role(RoleName=name)["Role"]["Arn"]
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler="handler.handle",
        Code={"ZipFile": zipped(code)},
        **({"Timeout": 20} | settings),
    )


def call(aws: LocalAws, name: str, event: Any = None) -> tuple[Any, str | None]:
    """What a function answers, and Lambda's word for an error."""
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


def make_queue(aws: LocalAws, name: str) -> tuple[str, str]:
    """The address and the ARN of a new queue."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
