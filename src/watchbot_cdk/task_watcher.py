"""Isolation.TASK, the watcher's side: a small task that receives messages and runs a worker task for each."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from watchbot.contract import IMAGE_RUNTIME_DIRECTORY, WATCHER_CONTAINER
from watchbot_cdk.acknowledgements import acknowledge_task
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.cluster import cluster_arn, tasks_of
from watchbot_cdk.containers import add_scratch, container_log, loop_health, with_init
from watchbot_cdk.messages import Messages
from watchbot_cdk.network import Network
from watchbot_cdk.payload_bucket import add_payload_bucket
from watchbot_cdk.roles import allow, execution_role, task_role
from watchbot_cdk.settings import task_environment
from watchbot_cdk.sidecars import keep_essential
from watchbot_cdk.stacks import stack_of
from watchbot_cdk.watcher_rights import (
    Wildcards,
    grant_notifying,
    grant_payload_bucket,
    grant_signing_secret,
    grant_watching,
)

_CPU = 256
_MEMORY_MIB = 512
_STOP_TIMEOUT = Duration.seconds(120)


def add_task_watcher(
    scope: Construct,
    arguments: Arguments,
    messages: Messages,
    network: Network,
    log_group: logs.LogGroup,
    worker: ecs.TaskDefinition,
    watcher_image: ecs.ContainerImage,
    service: str,
) -> ecs.FargateTaskDefinition:
    """Create the watcher's task definition, with a role that can do what a watcher does and nothing else.

    It is Fargate's wherever workers run, so that a cluster may shrink to no instance at all between jobs. Messages that
    are too large for a worker's environment go through a bucket of the watcher's own.
    """
    definition = ecs.FargateTaskDefinition(
        scope,
        "WatcherTask",
        cpu=_CPU,
        memory_limit_mib=_MEMORY_MIB,
        runtime_platform=arguments.runtime_platform,
    )
    payload_bucket = add_payload_bucket(scope, arguments.encryption_key)
    environment = task_environment(
        arguments, messages, log_group, service, network=network, worker=worker, payload_bucket=payload_bucket
    )
    _add_watcher(definition, watcher_image, environment, log_group)
    wildcards = _grant(definition, arguments, messages, payload_bucket, log_group)
    acknowledge_task(definition, {**wildcards, **_grant_running(definition, worker, network.cluster)})
    return definition


def _grant(
    definition: ecs.TaskDefinition,
    arguments: Arguments,
    messages: Messages,
    payload_bucket: s3.IBucket,
    log_group: logs.LogGroup,
) -> Wildcards:
    theirs = grant_watching(definition, messages, arguments.payload_bucket, arguments.encryption_key)
    grant_signing_secret(definition, arguments.ingress.webhook)
    ours = grant_payload_bucket(definition, payload_bucket)
    return {**theirs, **ours, **grant_notifying(definition, arguments.notifications.failure_topic, log_group)}


def _add_watcher(
    definition: ecs.FargateTaskDefinition,
    image: ecs.ContainerImage,
    environment: Mapping[str, str],
    log_group: logs.LogGroup,
) -> None:
    watcher = definition.add_container(
        WATCHER_CONTAINER,
        image=image,
        command=["listen"],
        environment=environment,
        linux_parameters=with_init(definition),
        logging=container_log(log_group),
        readonly_root_filesystem=True,
        health_check=loop_health(IMAGE_RUNTIME_DIRECTORY),
        stop_timeout=_STOP_TIMEOUT,
    )
    watcher.add_mount_points(add_scratch(definition))
    keep_essential(definition, watcher)


def _grant_running(watcher: ecs.TaskDefinition, worker: ecs.TaskDefinition, cluster: ecs.ICluster) -> Wildcards:
    stack = stack_of(watcher)
    in_cluster = {"ArnEquals": {"ecs:cluster": cluster_arn(cluster)}}
    # Every revision: during a deployment the old watchers still run the old one.
    family = stack.format_arn(service="ecs", resource="task-definition", resource_name=f"{worker.family}:*")
    tasks = tasks_of(cluster, stack)
    allow(watcher, ["ecs:RunTask"], [family], in_cluster)
    # Tasks get the tags of their definition, and RunTask is refused to whoever may not tag:
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
    allow(watcher, ["ecs:TagResource"], [tasks], {"StringEquals": {"ecs:CreateAction": "RunTask"}})
    allow(watcher, ["ecs:DescribeTasks", "ecs:StopTask"], [tasks], in_cluster)
    # ListTasks knows no resource; the condition is what keeps it to this cluster.
    allow(watcher, ["ecs:ListTasks"], ["*"], in_cluster)
    allow(
        watcher,
        ["iam:PassRole"],
        [role.role_arn for role in (task_role(worker), execution_role(worker))],
        {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    )
    return {
        family: "during a deployment the old watchers still run the old revision",
        tasks: "a worker's task has no name before it runs; a condition keeps it to this cluster",
        "*": "ListTasks knows no resource, a condition keeps it to this cluster; nor does GetAuthorizationToken",
    }
