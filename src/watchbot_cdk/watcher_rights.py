"""What a watcher may do: exactly what it does."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
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


def grant_protecting(definition: ecs.TaskDefinition, cluster: ecs.ICluster) -> None:
    """Let a task protect itself from scale-in and deployments while jobs run in it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
    """
    definition.add_to_task_role_policy(
        iam.PolicyStatement(actions=["ecs:UpdateTaskProtection"], resources=[tasks_of(cluster, Stack.of(definition))])
    )


def tasks_of(cluster: ecs.ICluster, stack: Stack) -> str:
    """Give the ARN that all tasks of a cluster match."""
    return stack.format_arn(
        service="ecs",
        resource="task",
        resource_name=f"{cluster.cluster_name}/*",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
