"""The two roles of a task: what runs in it has one, ECS starts it with the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from aws_cdk import PhysicalName, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from watchbot_cdk.remembered import remembered
from watchbot_cdk.rights import Right, policy
from watchbot_cdk.stacks import account_of, arn_prefix


@dataclasses.dataclass(frozen=True)
class TaskRoles:
    """What may be done by the containers of a task, and by ECS to start them."""

    task: iam.Role
    execution: iam.Role


def add_task_roles(scope: Construct, construct_id: str, rights: Sequence[Right], stack: Stack) -> TaskRoles:
    """Create the roles of the task definition that has this id; only ECS assumes them, for tasks of this account.

    One is a child of the other: what waits for the task's role, as ECS services of the CDK do, waits for both and for
    their rights. Tasks that start before those exist would fail, and a deployment with them.
    """
    tasks = _tasks_of_account(stack)
    task = iam.Role(scope, f"{construct_id}TaskRole", assumed_by=tasks, inline_policies={"Rights": policy(rights)})
    # The name is what CDK's own execution roles have: a registry in another account may be told of it.
    execution = iam.Role(task, "ExecutionRole", assumed_by=tasks, role_name=_generated_if_needed(stack))
    return TaskRoles(task, execution)


def of_account(service: str, sources: str, stack: Stack) -> iam.ServicePrincipal:
    """Make the principal of a service that acts for resources of this account alone, whose ARNs are like this.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    conditions = {
        "StringEquals": {"aws:SourceAccount": account_of(stack)},
        "ArnLike": {"aws:SourceArn": sources},
    }
    return iam.ServicePrincipal(service, conditions=conditions)


@remembered
def _tasks_of_account(stack: Stack) -> iam.ServicePrincipal:
    """Make the principal of ECS's tasks; a cluster cannot be named in the condition.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    return of_account("ecs-tasks.amazonaws.com", f"{arn_prefix(stack, 'ecs')}:*", stack)


@remembered
def _generated_if_needed(stack: Stack) -> str:
    return PhysicalName.GENERATE_IF_NEEDED
