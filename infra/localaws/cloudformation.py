"""
moto's CloudFormation, put right where it is wrong or silent.

- A type that neither moto nor the local AWS knows is an error. moto passes over such with a warning and says CREATE_COMPLETE, so
  that a test could pass on a stack that was never made.
- !GetAtt keeps dotted attributes whole (Endpoint.Port), of which moto reads the first part.
- A stack that could not be made is not there; moto keeps it, half made, and fails whenever stacks are listed.
- UsePreviousValue also means a parameter that was left to its default.
- A condition that an update makes true or false makes or deletes what it guards.
"""

from typing import Any

import yaml
from moto.cloudformation import models, parsing, responses
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.utils import yaml_tag_constructor
from moto.core.common_models import CloudFormationModel

from infra.localaws.resources import database, mail, rest

# moto finds them as subclasses, which Python keeps only as long as somebody refers to them.
DECLARED = (*database.TYPES, *mail.TYPES, *rest.TYPES)
_create_stack = models.CloudFormationBackend.create_stack
_update = parsing.ResourceMap.update
_resolve_parameters = models.CloudFormationBackend._resolve_update_parameters


def install() -> None:
    """Put it right in this process. Can be repeated."""
    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
    parsing.resource_class_from_type = known_class  # type: ignore[assignment]
    for module in (models, responses):
        module.yaml_tag_constructor = read_tag  # type: ignore[attr-defined]  # each has imported it
    parsing.ResourceMap.update = update  # type: ignore[method-assign,assignment]
    models.CloudFormationBackend.create_stack = create_stack  # type: ignore[method-assign,assignment]
    models.CloudFormationBackend._resolve_update_parameters = resolve_parameters  # type: ignore[method-assign,assignment]


def known_class(resource_type: str) -> type[CloudFormationModel] | None:
    """
    Return the class of a type; None for the few that make nothing.

    :raises ValidationError: for one that neither moto nor the local AWS can make
    """
    if resource_type in parsing.NULL_MODELS:
        return None
    found = parsing.get_model_map().get(resource_type)
    if found is None:
        raise ValidationError(message=f"The local AWS does not know {resource_type}: declare it in infra/localaws/resources")
    return found


def read_tag(loader: Any, tag: str, node: yaml.Node) -> Any:
    """Read a short form such as !Sub as moto does, and !GetAtt whole."""
    if tag == "!GetAtt" and isinstance(node, yaml.ScalarNode):
        return {"Fn::GetAtt": node.value.split(".", 1)}
    return yaml_tag_constructor(loader, tag, node)


def create_stack(backend: models.CloudFormationBackend, name: str, *args: Any, **kwargs: Any) -> models.Stack:
    """Make a stack, or none. What was made of it stays, as with --on-failure DO_NOTHING, until the local AWS ends."""
    before = set(backend.stacks)
    try:
        return _create_stack(backend, name, *args, **kwargs)
    except Exception:
        for stack_id in set(backend.stacks) - before:
            del backend.stacks[stack_id]
        raise


def resolve_parameters(
    backend: models.CloudFormationBackend, instance: Any, incoming_params: list[dict[str, str]]
) -> dict[str, str]:
    """Fill in what UsePreviousValue stands for."""
    if isinstance(instance, models.Stack):
        instance.parameters = {**instance.stack_parameters, **instance.parameters}
    return _resolve_parameters(backend, instance, incoming_params)


def update(resources: parsing.ResourceMap, template: dict[str, Any], parameters: dict[str, Any] | None = None) -> None:
    """Change what differs, then make and delete by the conditions as they are now."""
    _update(resources, template, parameters)
    for name, declared in template["Resources"].items():
        condition = declared.get("Condition")
        if condition is None:
            continue
        there = resources._parsed_resources.get(name)
        is_wanted = resources.lazy_condition_map[condition]
        if is_wanted and there is None:
            resources._parsed_resources.pop(name, None)
            resources[name]  # which makes it
        elif not is_wanted and there is not None:
            resources._delete_resource(there, declared)
            resources._parsed_resources[name] = None
