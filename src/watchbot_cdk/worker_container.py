"""The container that the user's image runs in, alike in both isolations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Intrinsic, Token
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs

from watchbot.contract import WORKER_CONTAINER, Isolation
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.containers import TMP_DIRECTORY, add_tmp, container_log, with_init
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.mount import add_mounts, is_mounted
from watchbot_cdk.ulimits import ulimits_of


def add_worker_container(
    definition: ecs.TaskDefinition,
    arguments: Arguments,
    log_group: logs.LogGroup,
    *,
    command: Sequence[str] | None,
    environment: Mapping[str, str],
    secrets: Mapping[str, ecs.Secret],
    entry_point: Sequence[str] | None = None,
    health_check: ecs.HealthCheck | None = None,
) -> ecs.ContainerDefinition:
    """Add the container; what was not asked for is left to ECS and the image.

    With a memory reservation the limit is the container's, because ECS reserves the whole of a task's own.
    """
    options = arguments.worker
    reservation = _reservation(options.memory_reservation_mib, arguments.memory_limit_mib)
    container = definition.add_container(
        WORKER_CONTAINER,
        image=arguments.image,
        entry_point=None if entry_point is None else list(entry_point),
        command=None if command is None else list(command),
        environment=dict(environment),
        secrets=dict(secrets),
        memory_limit_mib=None if reservation is None else arguments.memory_limit_mib,
        memory_reservation_mib=reservation,
        gpu_count=options.gpu_count,
        privileged=True if options.privileged else None,
        readonly_root_filesystem=True if options.readonly_root_filesystem else None,
        ulimits=ulimits_of(options.ulimits, is_ec2=arguments.placement.capacity.is_ec2),
        linux_parameters=_linux_parameters(definition, arguments),
        logging=container_log(log_group),
        health_check=health_check,
        # What a job that is timed out or interrupted has to end by itself; without it ECS gives 30 seconds.
        stop_timeout=options.stop_timeout(arguments.isolation),
    )
    add_mounts(definition, container, options.mounts)
    return container


def _linux_parameters(definition: ecs.TaskDefinition, arguments: Arguments) -> ecs.LinuxParameters:
    """Give the worker an init process, and with a read-only root a ``/tmp``, unless a mount is there.

    With Isolation.PROCESS each job has a ``TMPDIR`` of its own.
    """
    parameters = with_init(definition)
    options = arguments.worker
    if (
        options.readonly_root_filesystem
        and arguments.isolation is Isolation.TASK
        and not is_mounted(TMP_DIRECTORY, options.mounts)
    ):
        # What is in it counts as the worker's memory, which bounds it.
        add_tmp(parameters, arguments.memory_limit_mib)
    return parameters


def _reservation(reservation: float | None, limit: float) -> float | None:
    """Give the reservation, beside a limit that is known only at deployment as a token made after that one.

    CDK compares the two as they are, and the numbers that stand for tokens are below all others, later ones lower.
    """
    if reservation is None or not is_deploy_time(limit):
        return reservation
    return Token.as_number(Intrinsic(reservation))
