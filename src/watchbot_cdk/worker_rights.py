"""What a worker may do: send further jobs, and what its user says."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from watchbot_cdk.arguments import Arguments
from watchbot_cdk.encryption import USING
from watchbot_cdk.messages import Messages


def grant_working(definition: ecs.TaskDefinition, arguments: Arguments, messages: Messages) -> None:
    """Let a task publish to the topic, and do what ``permissions`` say."""
    key = arguments.encryption_key
    if key is None:
        messages.topic.grant_publish(definition.task_role)
    else:
        # CDK's own grant would give it every kind of data key.
        publishing = iam.PolicyStatement(actions=["sns:Publish"], resources=[messages.topic.topic_arn])
        definition.add_to_task_role_policy(publishing)
        key.grant(definition.task_role, *USING)
    for statement in arguments.permissions:
        definition.add_to_task_role_policy(statement)
