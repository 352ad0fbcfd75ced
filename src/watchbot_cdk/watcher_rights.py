"""What a watcher may do: exactly what it does."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from watchbot.contract import LOG_STREAM_PREFIX, WORKER_CONTAINER
from watchbot_cdk.acknowledgements import acknowledge_wildcards
from watchbot_cdk.encryption import USING
from watchbot_cdk.messages import Messages
from watchbot_cdk.webhook import Webhook


def grant_watching(
    definition: ecs.TaskDefinition, messages: Messages, payload_bucket: s3.IBucket | None, key: kms.IKey | None
) -> None:
    """Let a task receive, extend, return and delete messages of the queue, dead-letter them, read their payloads."""
    definition.add_to_task_role_policy(
        iam.PolicyStatement(
            actions=["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"],
            resources=[messages.queue.queue_arn],
        )
    )
    definition.add_to_task_role_policy(
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[messages.dead_letter_queue.queue_arn])
    )
    if key is not None:
        key.grant(definition.task_role, *USING)
    if payload_bucket is not None:
        _grant_objects(definition, payload_bucket, ["s3:GetObject", "s3:DeleteObject"])
        if payload_bucket.encryption_key is not None:
            payload_bucket.encryption_key.grant_decrypt(definition.task_role)


def grant_signing_secret(definition: ecs.TaskDefinition, webhook: Webhook | None) -> None:
    """Let a task read the secret that the webhook's callers sign with, and decrypt it where it has a key of its own."""
    if webhook is None or webhook.hmac is None:
        return
    secret = webhook.hmac.secret
    # An imported secret's ARN may lack the six characters that Secrets Manager puts at its end.
    full_arn = secret.secret_full_arn
    definition.add_to_task_role_policy(
        iam.PolicyStatement(
            actions=["secretsmanager:GetSecretValue"],
            resources=[f"{secret.secret_arn}-??????" if full_arn is None else full_arn],
        )
    )
    if secret.encryption_key is not None:
        secret.encryption_key.grant_decrypt(definition.task_role)


def grant_payload_bucket(definition: ecs.TaskDefinition, bucket: s3.IBucket) -> None:
    """Let a task put payloads into the service's own bucket, sign URLs to read them, and delete them."""
    _grant_objects(definition, bucket, ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])


def grant_protecting(definition: ecs.TaskDefinition, cluster: ecs.ICluster) -> None:
    """Let a task protect itself from scale-in and deployments while jobs run in it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
    """
    tasks = tasks_of(cluster, Stack.of(definition))
    definition.add_to_task_role_policy(iam.PolicyStatement(actions=["ecs:UpdateTaskProtection"], resources=[tasks]))
    acknowledge_wildcards(definition, {tasks: "a task protects itself, and has no name before it runs"})


def grant_notifying(
    definition: ecs.TaskDefinition, topic: sns.ITopic | None, worker_log: logs.LogGroup | None = None
) -> None:
    """Let a task tell a topic of failed jobs, if there is one, and read the last lines of workers in a log group.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """
    if topic is None:
        return
    topic.grant_publish(definition.task_role)
    if worker_log is not None:
        streams = Stack.of(definition).format_arn(
            service="logs",
            resource="log-group",
            resource_name=f"{worker_log.log_group_name}:log-stream:{LOG_STREAM_PREFIX}/{WORKER_CONTAINER}/*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        definition.add_to_task_role_policy(iam.PolicyStatement(actions=["logs:GetLogEvents"], resources=[streams]))
        acknowledge_wildcards(
            definition, {streams: "a worker's stream is named by its task, and has no name before it runs"}
        )


def tasks_of(cluster: ecs.ICluster, stack: Stack) -> str:
    """Give the ARN that all tasks of a cluster match."""
    return stack.format_arn(
        service="ecs",
        resource="task",
        resource_name=f"{cluster.cluster_name}/*",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def _grant_objects(definition: ecs.TaskDefinition, bucket: s3.IBucket, actions: Sequence[str]) -> None:
    """Let a task do this with every object of a bucket, and list it.

    Without the right to list the bucket S3 answers for an object that does not exist as for one that may not be read,
    and a message whose payload is gone would be tried for hours:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    objects = bucket.arn_for_objects("*")
    for allowed, resource in ((actions, objects), (["s3:ListBucket"], bucket.bucket_arn)):
        definition.add_to_task_role_policy(iam.PolicyStatement(actions=list(allowed), resources=[resource]))
    acknowledge_wildcards(definition, {objects: "each payload is an object of its own, in a bucket of payloads"})
