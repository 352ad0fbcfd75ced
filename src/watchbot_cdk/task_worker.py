"""Isolation.TASK, the worker's side: a task definition of the user's image, untouched."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from watchbot_cdk.acknowledgements import acknowledge_image_pulls
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.messages import Messages
from watchbot_cdk.rights import grant
from watchbot_cdk.sidecars import keep_essential
from watchbot_cdk.task_definition import add_task_definition
from watchbot_cdk.worker_container import add_worker_container
from watchbot_cdk.worker_rights import grant_permissions, working


def add_task_worker(
    scope: Construct, arguments: Arguments, messages: Messages, log_group: logs.LogGroup, stack: Stack
) -> ecs.TaskDefinition:
    """Create the task definition that runs once for each message; its exit code is the worker's answer.

    The worker may publish to the topic, whose ARN it finds in ``WorkTopic``, and do what ``permissions`` say.
    """
    definition = add_task_definition(scope, "WorkerTask", arguments)
    worker = add_worker_container(
        definition,
        arguments,
        log_group,
        command=arguments.command,
        environment=arguments.environment,
        secrets=arguments.secrets,
    )
    keep_essential(stack, definition, worker)
    grant(definition, [*working(arguments, messages)])
    grant_permissions(definition, arguments)
    acknowledge_image_pulls(definition)
    return definition
