"""What a task may do: rights are values first, and become one policy of the task's role."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from watchbot_cdk.roles import task_role


@dataclasses.dataclass(frozen=True, kw_only=True)
class Right:
    """Actions that are allowed on resources under conditions; ``wildcard`` says why one of those has a wildcard."""

    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Mapping[str, Any]] | None = None
    wildcard: str | None = None

    def statement(self) -> Mapping[str, Any]:
        """Write it as IAM does.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
        """
        conditions = {} if self.conditions is None else {"Condition": self.conditions}
        return {
            "Effect": "Allow",
            "Action": _one_or_all(self.actions),
            "Resource": _one_or_all(self.resources),
            **conditions,
        }


def grant(definition: ecs.TaskDefinition, rights: Sequence[Right]) -> None:
    """Let what runs in the task do all this.

    Several rights are one policy as it is, which takes the CDK a call to make where each of its grants is another.
    """
    if len(rights) == 1:
        (only,) = rights
        iam.Grant.add_to_principal(
            grantee=task_role(definition),
            actions=list(only.actions),
            resource_arns=list(only.resources),
            conditions=only.conditions,
        )
        return
    iam.CfnPolicy(
        definition,
        "Rights",
        policy_name="watchbot",
        policy_document={"Version": "2012-10-17", "Statement": [right.statement() for right in rights]},
        roles=[task_role(definition).role_name],
    )


def wildcards(rights: Sequence[Right]) -> Mapping[str, str]:
    """Give the resources with a wildcard, and why each has one."""
    return {resource: right.wildcard for right in rights if right.wildcard is not None for resource in right.resources}


def _one_or_all(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 else list(names)
