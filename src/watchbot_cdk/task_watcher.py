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
from watchbot_cdk.containers import SCRATCH_VOLUME, container_log, loop_health, scratch, watchers_with_init
from watchbot_cdk.messages import Messages
from watchbot_cdk.network import Network
from watchbot_cdk.payload_bucket import payload_bucket
from watchbot_cdk.rights import grant, wildcards
from watchbot_cdk.settings import task_environment
from watchbot_cdk.sidecars import keep_essential
from watchbot_cdk.watcher_rights import grant_watching_keys, keeping_payloads, reading_log, running, watching

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
    unique_id: str,
    stack: Stack,
) -> ecs.FargateTaskDefinition:
    """Create the watcher's task definition, with a role that can do what a watcher does and nothing else.

    It is Fargate's wherever workers run, so that a cluster may shrink to no instance at all between jobs. Messages that
    are too large for a worker's environment go through a bucket, under a prefix that is the service's alone.
    """
    definition = ecs.FargateTaskDefinition(
        scope,
        "WatcherTask",
        cpu=_CPU,
        memory_limit_mib=_MEMORY_MIB,
        runtime_platform=arguments.runtime_platform,
        volumes=[ecs.Volume(name=SCRATCH_VOLUME)],
    )
    bucket, prefix = payload_bucket(stack, arguments.encryption_key), f"{unique_id}/"
    environment = task_environment(
        arguments,
        messages,
        log_group,
        service,
        network=network,
        worker=worker,
        payload_bucket=bucket,
        payload_prefix=prefix,
    )
    _add_watcher(definition, watcher_image, environment, log_group, stack)
    rights = [
        *watching(arguments, messages),
        *keeping_payloads(f"{bucket.arn}/{prefix}*"),
        *running(worker, network.cluster, stack),
    ]
    if arguments.notifications.failure_topic is not None:
        rights += reading_log(log_group, stack)
    grant(definition, rights)
    grant_watching_keys(definition, arguments)
    acknowledge_task(definition, wildcards(rights), stack)
    return definition


def _add_watcher(
    definition: ecs.FargateTaskDefinition,
    image: ecs.ContainerImage,
    environment: Mapping[str, str],
    log_group: logs.LogGroup,
    stack: Stack,
) -> None:
    watcher = definition.add_container(
        WATCHER_CONTAINER,
        image=image,
        command=["listen"],
        environment=environment,
        linux_parameters=watchers_with_init(stack),
        logging=container_log(log_group),
        readonly_root_filesystem=True,
        health_check=loop_health(IMAGE_RUNTIME_DIRECTORY),
        stop_timeout=_STOP_TIMEOUT,
    )
    watcher.add_mount_points(scratch())
    keep_essential(stack, definition, watcher)
