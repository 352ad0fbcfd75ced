"""What a watcher may do: exactly what it does. Each grant says which wildcards it took, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from watchbot.contract import LOG_STREAM_PREFIX, WORKER_CONTAINER
from watchbot_cdk.cluster import tasks_of
from watchbot_cdk.encryption import USING
from watchbot_cdk.messages import Messages
from watchbot_cdk.roles import allow, task_role
from watchbot_cdk.stacks import stack_of
from watchbot_cdk.webhook import Webhook

Wildcards = Mapping[str, str]
"""Resources with a wildcard that a task has a right to, and why it has."""


def grant_watching(
    definition: ecs.TaskDefinition, messages: Messages, payload_bucket: s3.IBucket | None, key: kms.IKey | None
) -> Wildcards:
    """Let a task receive, extend, return and delete messages of the queue, dead-letter them, read their payloads."""
    role = task_role(definition)
    messages.queue.grant(role, "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage")
    messages.dead_letter_queue.grant(role, "sqs:SendMessage")
    if key is not None:
        key.grant(role, *USING)
    if payload_bucket is None:
        return {}
    wildcards = _grant_objects(definition, payload_bucket, ["s3:GetObject", "s3:DeleteObject"])
    if payload_bucket.encryption_key is not None:
        payload_bucket.encryption_key.grant_decrypt(role)
    return wildcards


def grant_signing_secret(definition: ecs.TaskDefinition, webhook: Webhook | None) -> None:
    """Let a task read the secret that the webhook's callers sign with, and decrypt it where it has a key of its own."""
    if webhook is None or webhook.hmac is None:
        return
    secret = webhook.hmac.secret
    # An imported secret's ARN may lack the six characters that Secrets Manager puts at its end.
    full_arn = secret.secret_full_arn
    readable = f"{secret.secret_arn}-??????" if full_arn is None else full_arn
    allow(definition, ["secretsmanager:GetSecretValue"], [readable])
    if secret.encryption_key is not None:
        secret.encryption_key.grant_decrypt(task_role(definition))


def grant_payload_bucket(definition: ecs.TaskDefinition, bucket: s3.IBucket) -> Wildcards:
    """Let a task put payloads into the service's own bucket, sign URLs to read them, and delete them."""
    return _grant_objects(definition, bucket, ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])


def grant_protecting(definition: ecs.TaskDefinition, cluster: ecs.ICluster) -> Wildcards:
    """Let a task protect itself from scale-in and deployments while jobs run in it.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
    """
    tasks = tasks_of(cluster, stack_of(definition))
    allow(definition, ["ecs:UpdateTaskProtection"], [tasks])
    return {tasks: "a task protects itself, and has no name before it runs"}


def grant_notifying(
    definition: ecs.TaskDefinition, topic: sns.ITopic | None, worker_log: logs.LogGroup | None = None
) -> Wildcards:
    """Let a task tell a topic of failed jobs, if there is one, and read the last lines of workers in a log group.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """
    if topic is None:
        return {}
    topic.grant_publish(task_role(definition))
    if worker_log is None:
        return {}
    streams = stack_of(definition).format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{worker_log.log_group_name}:log-stream:{LOG_STREAM_PREFIX}/{WORKER_CONTAINER}/*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    allow(definition, ["logs:GetLogEvents"], [streams])
    return {streams: "a worker's stream is named by its task, and has no name before it runs"}


def _grant_objects(definition: ecs.TaskDefinition, bucket: s3.IBucket, actions: Sequence[str]) -> Wildcards:
    """Let a task do this with every object of a bucket, and list it.

    Without the right to list the bucket S3 answers for an object that does not exist as for one that may not be read,
    and a message whose payload is gone would be tried for hours:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    objects = bucket.arn_for_objects("*")
    allow(definition, actions, [objects])
    allow(definition, ["s3:ListBucket"], [bucket.bucket_arn])
    return {objects: "each payload is an object of its own, in a bucket of payloads"}
