"""What a task may do: rights are values first, and become one policy of the task's role."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_iam as iam


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


def policy(rights: Sequence[Right]) -> iam.PolicyDocument:
    """Make one policy of several rights, in one call of CDK's process."""
    statements = [right.statement() for right in rights]
    return iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})


def wildcards(rights: Sequence[Right]) -> Mapping[str, str]:
    """Give the resources with a wildcard, and why each has one."""
    return {resource: right.wildcard for right in rights if right.wildcard is not None for resource in right.resources}


def _one_or_all(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 else list(names)
