"""What a security review finds and why it is so, where cdk-nag and people look for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_ecs as ecs
from constructs import IConstruct

from watchbot_cdk.roles import execution_role
from watchbot_cdk.stacks import stack_of

_METADATA = "aws:cdk:acknowledged-rules"
"""Where ``Validations.acknowledge`` keeps them, which older versions of the CDK do not have."""


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Say of rules of cdk-nag why this construct, with all below it, does not follow them."""
    construct.node.add_metadata(_METADATA, dict(reasons))


def acknowledge_image_pulls(definition: ecs.TaskDefinition) -> None:
    """Say why ECS may ask for any registry's token: the action knows no resource."""
    role = execution_role(definition)
    acknowledge(role, {"AwsSolutions-IAM5[Resource::*]": "GetAuthorizationToken, to pull images, knows no resource"})


def acknowledge_task(definition: ecs.TaskDefinition, wildcards: Mapping[str, str]) -> None:
    """Say why a watcher's containers have variables in plain text, and its role rights to resources with a wildcard.

    Each of those is named as cdk-nag does, so that no other wildcard is acknowledged with it.
    """
    resolved: list[Any] = stack_of(definition).resolve(list(wildcards))
    reasons = {
        f"AwsSolutions-IAM5[Resource::{_flat(resource)}]": reason
        for resource, reason in zip(resolved, wildcards.values(), strict=True)
    }
    settings = "the watcher's settings are no secrets; secrets of workers go with secrets"
    acknowledge(definition, {"AwsSolutions-ECS2": settings, **reasons})


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
