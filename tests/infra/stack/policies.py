"""Reads policies out of the templates and files, and what AWS and CloudFormation say that actions are, as cfn-lint carries it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cfnlint

from infra.stack import templates

DATA = Path(cfnlint.__file__).parent / "data"
FOLDER = templates.FOLDER
DEPLOYER = ("deployer-policy.json", "deployer-zappa-policy.json")


@dataclass(frozen=True)
class Statement:
    policy: str
    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Any


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def arn(resource: Any) -> str:
    """Return a resource as text: of functions of CloudFormation only their names are left."""
    if isinstance(resource, str):
        return resource
    [(function, value)] = resource.items()
    if function == "Fn::Sub":
        return str(value)
    return "${" + (".".join(value) if isinstance(value, list) else str(value)) + "}"


def statements(policy: str, document: dict[str, Any]) -> Iterator[Statement]:
    for each in document["Statement"]:
        yield Statement(
            policy=policy,
            sid=each["Sid"],
            effect=each["Effect"],
            actions=tuple(as_list(each["Action"])),
            resources=tuple(arn(resource) for resource in as_list(each["Resource"])),
            condition=each.get("Condition"),
        )


def of_functions() -> list[Statement]:
    """Return the statements of the roles of both functions, and of the policy that both have."""
    found: list[Statement] = []
    for name, about in templates.read(templates.BASE)["Resources"].items():
        if about["Type"] == "AWS::IAM::ManagedPolicy":
            found += statements(name, about["Properties"]["PolicyDocument"])
        if about["Type"] == "AWS::IAM::Role":
            for policy in about["Properties"]["Policies"]:
                found += statements(name, policy["PolicyDocument"])
    return found


def of_deployer() -> list[Statement]:
    return [each for name in DEPLOYER for each in statements(name, json.loads((FOLDER / name).read_text()))]


def allowed(role: str) -> set[str]:
    """Return what a role may, with what both may."""
    found = [each for each in of_functions() if each.policy in (role, "FunctionsPolicy") and each.effect == "Allow"]
    return {action for each in found for action in each.actions}


@cache
def _reference() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "AdditionalSpecs" / "Policies.json").read_text())
    return found


def exists(action: str) -> bool:
    service, _, name = action.partition(":")
    return name.lower() in _reference().get(service, {}).get("Actions", {})


def can_name_resources(action: str) -> bool:
    service, _, name = action.partition(":")
    return bool(_reference()[service]["Actions"][name.lower()].get("Resources"))


@cache
def handlers() -> dict[str, dict[str, set[str]]]:
    """Return, for each type that the templates use, what CloudFormation needs to create, read, change and delete it."""
    types = {about["Type"] for path in templates.TEMPLATES for about in templates.read(path)["Resources"].values()}
    found: dict[str, dict[str, set[str]]] = {}
    for path in (DATA / "schemas" / "resources").glob("*.json"):
        text = path.read_text()
        # Reading all of them as JSON takes long; a type can have several, which differ by region.
        if types & set(re.findall(r'"typeName":\s*"([^"]+)"', text)):
            about = json.loads(text)
            if about["typeName"] in types:
                verbs = found.setdefault(about["typeName"], {})
                for verb, each in about["handlers"].items():
                    verbs.setdefault(verb, set()).update(each["permissions"])
    assert found.keys() == types
    return found
