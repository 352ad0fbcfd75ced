"""Isolation.TASK, the watcher's side: a small task that receives messages and runs a worker task for each."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from watchbot.contract import IMAGE_RUNTIME_DIRECTORY, WATCHER_CONTAINER
from watchbot_cdk.acknowledgements import acknowledge_task
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.containers import SCRATCH_VOLUME, container_log, loop_health, scratch, with_init
from watchbot_cdk.messages import Messages
from watchbot_cdk.network import Network
from watchbot_cdk.payload_bucket import add_payload_bucket
from watchbot_cdk.rights import wildcards
from watchbot_cdk.roles import TaskRoles, add_task_roles
from watchbot_cdk.settings import task_environment
from watchbot_cdk.sidecars import keep_essential
from watchbot_cdk.stacks import region_of
from watchbot_cdk.watcher_rights import grant_keys_and_topic, keeping_payloads, reading_log, running, watching

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
    worker_roles: TaskRoles,
    watcher_image: ecs.ContainerImage,
    service: str,
    stack: Stack,
) -> ecs.FargateTaskDefinition:
    """Create the watcher's task definition, with a role that can do what a watcher does and nothing else.

    It is Fargate's wherever workers run, so that a cluster may shrink to no instance at all between jobs. Messages that
    are too large for a worker's environment go through a bucket of the watcher's own.
    """
    payload_bucket = add_payload_bucket(scope, arguments.encryption_key)
    rights = [
        *watching(arguments, messages),
        *keeping_payloads(payload_bucket),
        *running(worker, worker_roles, network.cluster, stack),
    ]
    if arguments.notifications.failure_topic is not None:
        rights += reading_log(log_group, stack)
    roles = add_task_roles(scope, "WatcherTask", rights, stack)
    definition = ecs.FargateTaskDefinition(
        scope,
        "WatcherTask",
        task_role=roles.task,
        execution_role=roles.execution,
        cpu=_CPU,
        memory_limit_mib=_MEMORY_MIB,
        runtime_platform=arguments.runtime_platform,
        volumes=[ecs.Volume(name=SCRATCH_VOLUME)],
    )
    environment = task_environment(
        arguments,
        messages,
        log_group,
        service,
        region_of(stack),
        network=network,
        worker=worker,
        payload_bucket=payload_bucket,
    )
    secrets = arguments.aws_connection.secrets()
    _add_watcher(definition, watcher_image, environment, secrets, log_group, stack)
    grant_keys_and_topic(roles.task, arguments, stack)
    acknowledge_task(definition, roles.task, wildcards(rights), stack)
    return definition


def _add_watcher(
    definition: ecs.FargateTaskDefinition,
    image: ecs.ContainerImage,
    environment: Mapping[str, str],
    secrets: Mapping[str, ecs.Secret],
    log_group: logs.LogGroup,
    stack: Stack,
) -> None:
    watcher = definition.add_container(
        WATCHER_CONTAINER,
        image=image,
        command=["listen"],
        environment=environment,
        secrets=dict(secrets) or None,
        linux_parameters=with_init(definition),
        logging=container_log(log_group),
        readonly_root_filesystem=True,
        health_check=loop_health(IMAGE_RUNTIME_DIRECTORY),
        stop_timeout=_STOP_TIMEOUT,
    )
    watcher.add_mount_points(scratch())
    keep_essential(stack, definition, watcher)
