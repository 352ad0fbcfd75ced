"""The two roles of a task: what runs in it has one, ECS starts it with the other."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from watchbot_cdk.remembered import remembered


@remembered
def task_role(definition: ecs.TaskDefinition) -> iam.IRole:
    """Give the role of what runs in the task."""
    return definition.task_role


@remembered
def execution_role(definition: ecs.TaskDefinition) -> iam.IRole:
    """Give the role that ECS starts the task with."""
    return definition.obtain_execution_role()
