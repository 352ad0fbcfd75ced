"""Isolation.TASK, the worker's side: a task definition of the user's image, untouched."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from watchbot_cdk.acknowledgements import acknowledge_image_pulls
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.messages import Messages
from watchbot_cdk.roles import TaskRoles, add_task_roles
from watchbot_cdk.sidecars import keep_essential
from watchbot_cdk.task_definition import add_task_definition
from watchbot_cdk.worker_container import add_worker_container
from watchbot_cdk.worker_rights import grant_permissions, working


def add_task_worker(
    scope: Construct, arguments: Arguments, messages: Messages, log_group: logs.LogGroup, stack: Stack
) -> tuple[ecs.TaskDefinition, TaskRoles]:
    """Create the task definition, and its roles, that runs once for each message; its exit code is the worker's answer.

    The worker may publish to the topic, whose ARN it finds in ``WorkTopic``, and do what ``permissions`` say.
    """
    roles = add_task_roles(scope, "WorkerTask", [*working(arguments, messages)], stack)
    definition = add_task_definition(scope, "WorkerTask", arguments, roles)
    worker = add_worker_container(
        definition,
        arguments,
        log_group,
        command=arguments.command,
        environment=arguments.environment,
        secrets=arguments.secrets,
    )
    keep_essential(stack, definition, worker)
    grant_permissions(roles.task, arguments, stack)
    acknowledge_image_pulls(roles.execution)
    return definition, roles
