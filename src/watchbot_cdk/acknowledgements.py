"""What a security review finds and why it is so, where cdk-nag and people look for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from constructs import Construct, IConstruct

_METADATA = "aws:cdk:acknowledged-rules"
"""Where ``Validations.acknowledge`` keeps them, which older versions of the CDK do not have."""


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Say of rules of cdk-nag why this construct, with all below it, does not follow them."""
    construct.node.add_metadata(_METADATA, dict(reasons))


def acknowledge_image_pulls(definition: ecs.TaskDefinition) -> None:
    """Say why ECS may ask for any registry's token: the action knows no resource."""
    role = definition.obtain_execution_role()
    acknowledge(role, {"AwsSolutions-IAM5[Resource::*]": "GetAuthorizationToken, to pull images, knows no resource"})


def acknowledge_settings(definition: ecs.TaskDefinition) -> None:
    """Say why containers of this task have variables in plain text."""
    acknowledge(
        definition, {"AwsSolutions-ECS2": "the watcher's settings are no secrets; secrets of workers go with secrets"}
    )


def acknowledge_wildcards(construct: Construct, resources: Mapping[str, str]) -> None:
    """Say of resources with a wildcard in what a role below this construct may do, why they have it.

    Each is named as cdk-nag does, so that no other wildcard is acknowledged with it.
    """
    resolved: list[Any] = Stack.of(construct).resolve(list(resources))
    acknowledge(
        construct,
        {
            f"AwsSolutions-IAM5[Resource::{_flat(resource)}]": reason
            for resource, reason in zip(resolved, resources.values(), strict=True)
        },
    )


def _flat(value: Any) -> str:
    """Write a CloudFormation expression as cdk-nag does: references in angle brackets."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_flat(part) for part in parts)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return _flat(name)
        case {"Ref": name}:
            return f"<{name}>"
    return json.dumps(value, separators=(",", ":"))
