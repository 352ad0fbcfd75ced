"""What a task may do: rights are values first, and become one policy of the task's role."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

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

    Several rights are one policy, which takes the CDK three calls to make; a single one is a grant, which takes one.
    Either is a child of the role, so that whatever waits for the role waits for its rights.
    """
    role = task_role(definition)
    if len(rights) == 1:
        (only,) = rights
        iam.Grant.add_to_principal(
            grantee=role,
            actions=list(only.actions),
            resource_arns=list(only.resources),
            conditions=only.conditions,
        )
        return
    statements = [right.statement() for right in rights]
    document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})
    # Attached by the role, which leaves it out of the template where roles are created by somebody else.
    role.attach_inline_policy(iam.Policy(cast(Construct, role), "Rights", document=document))


def wildcards(rights: Sequence[Right]) -> Mapping[str, str]:
    """Give the resources with a wildcard, and why each has one."""
    return {resource: right.wildcard for right in rights if right.wildcard is not None for resource in right.resources}


def _one_or_all(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 else list(names)
