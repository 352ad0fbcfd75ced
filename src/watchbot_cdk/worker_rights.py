"""What a worker may do: send further jobs, and what its user says."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs

from watchbot_cdk.arguments import Arguments
from watchbot_cdk.encryption import USING
from watchbot_cdk.messages import Messages
from watchbot_cdk.roles import allow, task_role


def grant_working(definition: ecs.TaskDefinition, arguments: Arguments, messages: Messages) -> None:
    """Let a task publish to the topic, and do what ``permissions`` say."""
    key = arguments.encryption_key
    if key is None:
        messages.topic.grant_publish(task_role(definition))
    else:
        # CDK's own grant would give it every kind of data key.
        allow(definition, ["sns:Publish"], [messages.topic_arn])
        key.grant(task_role(definition), *USING)
    for statement in arguments.permissions:
        definition.add_to_task_role_policy(statement)
