"""What a watcher may do: exactly what it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from watchbot.contract import FAMILY_TAG, LOG_STREAM_PREFIX, WORKER_CONTAINER, Isolation
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.cluster import cluster_arn, tasks_of
from watchbot_cdk.encryption import READING, USING, let_use
from watchbot_cdk.log_group import log_group_name
from watchbot_cdk.messages import Messages
from watchbot_cdk.publishing import let_publish
from watchbot_cdk.rights import Right
from watchbot_cdk.roles import TaskRoles
from watchbot_cdk.stacks import arn_prefix
from watchbot_cdk.webhook import Webhook


def watching(arguments: Arguments, messages: Messages) -> Iterable[Right]:
    """Receive, extend, return and delete messages of the queue, dead-letter them, read their payloads and secrets."""
    yield Right(
        actions=["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"],
        resources=[messages.queue.queue_arn],
    )
    yield Right(actions=["sqs:SendMessage"], resources=[messages.dead_letter_queue.queue_arn])
    if arguments.payload_bucket is not None:
        deleting = ["s3:DeleteObject"] if arguments.delete_payloads else []
        yield from _objects(arguments.payload_bucket, ["s3:GetObject", *deleting])
    yield from _signing_secret(arguments.ingress.webhook)


def keeping_payloads(bucket: s3.IBucket) -> Iterable[Right]:
    """Put payloads into the service's own bucket, sign URLs to read them, and delete them."""
    yield from _objects(bucket, ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])


def protecting(cluster: ecs.ICluster, stack: Stack) -> Iterable[Right]:
    """Protect tasks of the cluster from scale-in and deployments; a watcher does so with its own, while jobs run in it.

    ``ecs:cluster`` would say what the resource says.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
    """
    yield Right(
        actions=["ecs:UpdateTaskProtection"],
        resources=[tasks_of(cluster, stack)],
        wildcard="a task protects itself, and has no name before it runs",
    )


def running(worker: ecs.TaskDefinition, roles: TaskRoles, cluster: ecs.ICluster, stack: Stack) -> Iterable[Right]:
    """Run tasks of the worker in the cluster, follow and find them, and stop those that it has launched.

    Tasks are followed without their tag: a task that has been stopped has lost its tags, and one that an older watcher
    launched never had this one. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
    """
    family = worker.family
    in_cluster = {"ArnEquals": {"ecs:cluster": cluster_arn(cluster)}}
    tasks = tasks_of(cluster, stack)
    unnamed = "a worker's task has no name before it runs; a condition keeps it to this cluster"
    yield Right(
        actions=["ecs:RunTask"],
        resources=[f"{arn_prefix(stack, 'ecs')}:task-definition/{family}:*"],
        conditions=in_cluster,
        wildcard="during a deployment the old watchers still run the old revision",
    )
    # Tasks get the tags of their definition, and RunTask is refused to whoever may not tag:
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
    yield Right(
        actions=["ecs:TagResource"],
        resources=[tasks],
        conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
        wildcard=unnamed,
    )
    yield Right(actions=["ecs:DescribeTasks"], resources=[tasks], conditions=in_cluster, wildcard=unnamed)
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    yield Right(
        actions=["ecs:StopTask"],
        resources=[tasks],
        conditions={**in_cluster, "StringEquals": {f"aws:ResourceTag/{FAMILY_TAG}": family}},
        wildcard=unnamed,
    )
    yield Right(
        actions=["ecs:ListTasks"],
        resources=["*"],
        conditions=in_cluster,
        wildcard="ListTasks knows no resource, a condition keeps it to this cluster; nor does GetAuthorizationToken",
    )
    # ECS documents no iam:AssociatedResourceArn: either role can be passed as either, but none of another service's.
    yield Right(
        actions=["iam:PassRole"],
        resources=[role.role_arn for role in (roles.task, roles.execution)],
        conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    )


def reading_log(log_group: logs.LogGroup, stack: Stack) -> Iterable[Right]:
    """Read the last lines of workers, for the notification of a failed job.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    """
    streams = f"{log_group_name(log_group)}:log-stream:{LOG_STREAM_PREFIX}/{WORKER_CONTAINER}/*"
    yield Right(
        actions=["logs:GetLogEvents"],
        resources=[f"{arn_prefix(stack, 'logs')}:log-group:{streams}"],
        wildcard="a worker's stream is named by its task, and has no name before it runs",
    )


def grant_keys_and_topic(role: iam.Role, arguments: Arguments, stack: Stack) -> None:
    """Let a watcher use the keys of what it watches, and publish failed jobs to a topic if there is one.

    Each key is used through the services alone whose resources are under it.
    """
    if arguments.encryption_key is not None:
        # With TASK a bucket of the watcher's is under it as well.
        through = ("sqs", "s3") if arguments.isolation is Isolation.TASK else ("sqs",)
        let_use(role, arguments.encryption_key, USING, through, stack)
    bucket = arguments.payload_bucket
    if bucket is not None and bucket.encryption_key is not None:
        let_use(role, bucket.encryption_key, READING, ("s3",), stack)
    webhook = arguments.ingress.webhook
    if webhook is not None and webhook.hmac is not None and webhook.hmac.secret.encryption_key is not None:
        let_use(role, webhook.hmac.secret.encryption_key, READING, ("secretsmanager",), stack)
    topic = arguments.notifications.failure_topic
    if topic is not None:
        let_publish(role, topic, stack)


def _signing_secret(webhook: Webhook | None) -> Iterable[Right]:
    """Read the secret that the webhook's callers sign with."""
    if webhook is None or webhook.hmac is None:
        return
    secret = webhook.hmac.secret
    # An imported secret's ARN may lack the six characters that Secrets Manager puts at its end.
    full_arn = secret.secret_full_arn
    readable = f"{secret.secret_arn}-??????" if full_arn is None else full_arn
    yield Right(actions=["secretsmanager:GetSecretValue"], resources=[readable])


def _objects(bucket: s3.IBucket, actions: Sequence[str]) -> Iterable[Right]:
    """Do this with every object of a bucket, and list it.

    Without the right to list the bucket S3 answers for an object that does not exist as for one that may not be read,
    and a message whose payload is gone would be tried for hours:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    arn = bucket.bucket_arn
    yield Right(
        actions=actions,
        resources=[f"{arn}/*"],
        wildcard="each payload is an object of its own, in a bucket of payloads",
    )
    yield Right(actions=["s3:ListBucket"], resources=[arn])
