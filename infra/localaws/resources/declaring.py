"""
How a type is declared: which call of the service's API makes it, which one takes it away, and what it can be asked for.

Properties go to the API by their names and through botocore's own description of the call, so that a misspelt one, or one that
the service does not take, fails here too. CloudFormation's texts ("35", "true") become the numbers that the call wants.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.cloudformation.exceptions import ValidationError
from moto.core.common_models import CloudFormationModel

from infra.localaws import REGION

Properties = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that is there: what Ref gives, and what GetAtt does."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Cloud:
    """Where the API answers; set when the local AWS starts."""

    endpoint_url: str = ""

    def client(self, service: str) -> Any:
        """Return a client of the local AWS."""
        return boto3.client(  # type: ignore[call-overload]  # the service is a variable
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - moto knows no passwords
        )


cloud: Final = Cloud()
Make = Callable[[str, Properties], Made]
Delete = Callable[[str, Properties], None]


def declare(resource_type: str, make: Make, *, delete: Delete, name: str = "", attributes: tuple[str, ...] = ()) -> type[Any]:
    """
    Return the class by which moto makes and deletes a type.

    :param make: gets a name that is free, and the properties, with every reference resolved
    :param name: the property that names the resource, if it has one
    :param attributes: what GetAtt may ask for
    """

    class Declared(CloudFormationModel):
        def __init__(self, made: Made, properties: Properties) -> None:
            self.made = made
            self.properties = properties

        @property
        def physical_resource_id(self) -> str:
            return self.made.physical_id

        @staticmethod
        def cloudformation_name_type() -> str:
            return name

        @staticmethod
        def cloudformation_type() -> str:
            return resource_type

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            # moto asks for the first part of a dotted name, too.
            return attr in attributes or any(known.startswith(f"{attr}.") for known in attributes)

        def get_cfn_attribute(self, attribute_name: str) -> Any:
            return self.made.attributes[attribute_name]

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: dict[str, Any], account_id: str, region_name: str, **kwargs: Any
        ) -> Any:
            properties = dict(cloudformation_json.get("Properties") or {})
            try:
                return cls(make(resource_name, dict(properties)), properties)
            except (BotoCoreError, ClientError, LookupError, ValueError) as error:
                raise ValidationError(message=f"{kwargs.get('LogicalId')} ({resource_type}): {error}") from error

        @classmethod
        def update_from_cloudformation_json(
            cls,
            original_resource: Any,
            new_resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,
            region_name: str,
        ) -> Any:
            properties = dict(cloudformation_json.get("Properties") or {})
            if original_resource is None:  # its condition has become true
                return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)
            if properties == original_resource.properties:
                return original_resource
            raise NotImplementedError(
                f"the local AWS makes and deletes {resource_type}, but does not change it: make the stack anew"
            )

        def delete(self, account_id: str, region_name: str) -> None:
            delete(self.made.physical_id, self.properties)

        def is_created(self) -> bool:
            return True

    Declared.__name__ = Declared.__qualname__ = resource_type.replace("::", "")
    return Declared


def call(service: str, operation: str, properties: Properties) -> dict[str, Any]:
    """Call an operation (its name in boto3, snake case) with properties of CloudFormation, in the types that it wants."""
    client = cloud.client(service)
    shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
    answer: dict[str, Any] = getattr(client, operation)(**_typed(properties, shape))
    return answer


def _typed(value: Any, shape: Shape | None) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return {name: _typed(part, shape.members.get(name)) for name, part in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_typed(part, shape.member) for part in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {name: _typed(part, shape.value) for name, part in value.items()}
    if shape is not None and isinstance(value, str):
        if shape.type_name in ("integer", "long"):
            return int(value)
        if shape.type_name in ("double", "float"):
            return float(value)
        if shape.type_name == "boolean":
            return value.lower() == "true"
    return value
