"""Makes a stage's two stacks in AWS, or changes them to what the templates and the parameters say."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from infra.stack.templates import BASE, TEMPLATES, read, stack_name

_TAKES_CHANGES = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")


class StackError(Exception):
    """Something that whoever runs the command has to mend first; the message says what."""


def read_parameters(path: Path, stage: str) -> dict[str, str]:
    """
    Return the parameters of a stage from a JSON file, with lists joined by commas, and the stage among them.

    :raises StackError: if the file cannot be read, or has nothing for the stage
    """
    try:
        stages = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StackError(f"{path} is not there: copy infra/stack/parameters.example.json and fill it in") from None
    except ValueError as error:
        raise StackError(f"{path} is no JSON: {error}") from error
    given = stages.get(stage) if isinstance(stages, dict) else None
    if not isinstance(given, dict):
        raise StackError(f"{path} has no parameters for {stage}")
    return {"Stage": stage} | {name: _text(value) for name, value in given.items()}


def apply(stage: str, parameters: Mapping[str, str], *, region: str | None = None) -> dict[str, str]:
    """
    Make or change what the stage stands on, then what watches it, and return the outputs of both; idempotent.

    :raises StackError: for a parameter that no template has, and for whatever CloudFormation refuses
    """
    known = {name for template in TEMPLATES for name in read(template)["Parameters"]}
    unknown = sorted(parameters.keys() - known)
    if unknown:
        raise StackError(f"no template has a parameter {', '.join(unknown)}: there are {', '.join(sorted(known))}")
    client = boto3.client("cloudformation", region_name=region)
    found: dict[str, str] = {}
    for template in TEMPLATES:
        # What watches is told what it watches by the outputs of what stands there already.
        _make(client, stage, template, {**found, **parameters})
        found |= outputs(stage, template=template, client=client)
    return found


def outputs(stage: str, *, template: Path | None = None, client: Any = None, region: str | None = None) -> dict[str, str]:
    """
    Return the outputs of a stage's stack; of base.yaml's unless another template is named.

    :raises StackError: if there is no such stack, or it is not finished
    """
    name = stack_name(stage, template or BASE)
    stack = _described(client or boto3.client("cloudformation", region_name=region), name)
    if stack is None:
        raise StackError(f"there is no stack {name} in this account and region: make aws-stack STAGE={stage}")
    if stack["StackStatus"] not in _TAKES_CHANGES:
        raise StackError(f"the stack {name} is {stack['StackStatus']}: wait for it, or look at its events in the console")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _make(client: Any, stage: str, template: Path, parameters: Mapping[str, str]) -> None:
    name = stack_name(stage, template)
    declared = read(template)["Parameters"]
    missing = sorted(each for each, about in declared.items() if each not in parameters and "Default" not in about)
    if missing:
        raise StackError(f"{template.name} needs {', '.join(missing)}: write them into the file of parameters")
    values = [{"ParameterKey": each, "ParameterValue": value} for each, value in parameters.items() if each in declared]
    is_new = _described(client, name) is None
    try:
        (client.create_stack if is_new else client.update_stack)(
            StackName=name,
            TemplateBody=template.read_text(encoding="utf-8"),
            Parameters=values,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "project", "Value": "squill"}, {"Key": "stage", "Value": stage}],
        )
        client.get_waiter("stack_create_complete" if is_new else "stack_update_complete").wait(StackName=name)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise StackError(f"{name}: {error.response['Error']['Message']}") from error
    except WaiterError as error:
        raise StackError(f"{name} could not be made: {_first_failure(client, name)}") from error


def _described(client: Any, name: str) -> Mapping[str, Any] | None:
    try:
        stacks: list[dict[str, Any]] = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise StackError(f"{name}: {error.response['Error']['Message']}") from error
    return stacks[0]


def _first_failure(client: Any, name: str) -> str:
    """Return what failed first: all that is rolled back after it only follows."""
    first = None
    for event in client.describe_stack_events(StackName=name)["StackEvents"]:  # the newest first
        if event.get("ResourceStatusReason") == "User Initiated":
            break
        if event.get("ResourceStatus", "").endswith("_FAILED"):
            first = event
    if first is None:
        return "its events in the console say why"
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
