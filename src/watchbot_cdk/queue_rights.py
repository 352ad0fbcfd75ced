"""What a watcher may do with the queues: exactly what it does."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam

from watchbot_cdk.messages import Messages


def grant_watching(definition: ecs.TaskDefinition, messages: Messages) -> None:
    """Let a task receive, extend, return and delete messages of the queue, and dead-letter them."""
    definition.add_to_task_role_policy(
        iam.PolicyStatement(
            actions=["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"],
            resources=[messages.queue.queue_arn],
        )
    )
    definition.add_to_task_role_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[messages.dead_letter_queue.queue_arn])
    )
