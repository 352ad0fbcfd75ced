"""What a security review finds and why it is so, where cdk-nag and people look for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from watchbot_cdk.remembered import remembered

_METADATA = "aws:cdk:acknowledged-rules"
"""Where ``Validations.acknowledge`` keeps them, which older versions of the CDK do not have."""

_TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
"""What stands in a text for a value of the template: https://docs.aws.amazon.com/cdk/v2/guide/tokens.html."""


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """Say of rules of cdk-nag why this construct, with all below it, does not follow them."""
    construct.node.add_metadata(_METADATA, dict(reasons))


def acknowledge_image_pulls(role: iam.Role) -> None:
    """Acknowledge that ECS may ask for any registry's token: the action knows no resource."""
    acknowledge(role, {"AwsSolutions-IAM5[Resource::*]": "GetAuthorizationToken, to pull images, knows no resource"})


def acknowledge_task(
    definition: ecs.TaskDefinition, role: iam.Role, wildcards: Mapping[str, str], stack: Stack
) -> None:
    """Say why a watcher's containers have variables in plain text, and its role rights to resources with a wildcard.

    Each of those is named as cdk-nag does, so that no other wildcard is acknowledged with it.
    """
    reasons = {
        f"AwsSolutions-IAM5[Resource::{_TOKEN.sub(lambda found: _flat(found[0], stack), resource)}]": reason
        for resource, reason in wildcards.items()
    }
    settings = "the watcher's settings are no secrets; secrets of workers go with secrets"
    acknowledge(definition, {"AwsSolutions-ECS2": settings})
    if reasons:
        acknowledge(role, reasons)


@remembered
def _flat(token: str, stack: Stack) -> str:
    """Write a token as cdk-nag does; services of a stack have most of them in common."""
    return _written(stack.resolve(token))


def _written(value: Any) -> str:
    """Write a CloudFormation expression as cdk-nag does: references in angle brackets."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_written(part) for part in parts)
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::ImportValue": name}:
            return _written(name)
        case {"Ref": name}:
            return f"<{name}>"
    return json.dumps(value, separators=(",", ":"))
