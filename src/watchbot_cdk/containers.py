"""What containers of a Watchbot have in common: where their lines go, their scratch volume, their health."""

from __future__ import annotations

from aws_cdk import Duration, Size
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct

from watchbot.contract import LOG_STREAM_PREFIX, SCRATCH_DIRECTORY, health_probe
from watchbot_cdk.remembered import remembered

TMP_DIRECTORY = "/tmp"  # noqa: S108 - in a container, where it is the worker's alone
SCRATCH_VOLUME = "watchbot-scratch"
_BUFFER = Size.mebibytes(25)


@remembered
def container_log(log_group: logs.LogGroup) -> ecs.LogDriver:
    """Send the lines of the service's containers to its log group, never holding a container up.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html
    """
    return ecs.LogDriver.aws_logs(
        stream_prefix=LOG_STREAM_PREFIX,
        log_group=log_group,
        mode=ecs.AwsLogDriverMode.NON_BLOCKING,
        max_buffer_size=_BUFFER,
    )


def with_init(scope: Construct) -> ecs.LinuxParameters:
    """Give a container an init process that reaps zombies and passes signals on."""
    return ecs.LinuxParameters(scope, "Init", init_process_enabled=True)


def add_tmp(parameters: ecs.LinuxParameters, size_mib: float) -> None:
    """Give a container a ``/tmp`` in memory, for all users of its image and with what they run from there.

    A volume of the task would belong to root. Fargate has such file systems since 2026:
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tmpfs.html
    """
    parameters.add_tmpfs(
        ecs.Tmpfs(container_path=TMP_DIRECTORY, size=size_mib, mount_options=[ecs.TmpfsMountOption.EXEC])
    )


def scratch() -> ecs.MountPoint:
    """Give where containers mount the task's volume for files of a short life."""
    return ecs.MountPoint(source_volume=SCRATCH_VOLUME, container_path=SCRATCH_DIRECTORY, read_only=False)


@remembered
def loop_health(runtime_directory: str) -> ecs.HealthCheck:
    """Have ECS replace a task whose watcher hangs: its event loop has not turned for five minutes.

    It is in no hurry, because a task that looks unhealthy is replaced with everything that runs in it, and a busy
    processor makes a probe slow: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
    """
    return ecs.HealthCheck(
        command=["CMD", *health_probe(runtime_directory)],
        interval=Duration.seconds(60),
        timeout=Duration.seconds(60),
        retries=5,
        start_period=Duration.seconds(300),
    )
