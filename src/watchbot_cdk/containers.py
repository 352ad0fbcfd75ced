"""What all containers of a Watchbot have in common: where their lines go."""

from __future__ import annotations

from aws_cdk import Size
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct


def container_log(log_group: logs.LogGroup) -> ecs.LogDriver:
    """Send a container's lines to the service's log group, never holding the container up.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html
    """
    return ecs.LogDriver.aws_logs(
        stream_prefix="watchbot",
        log_group=log_group,
        mode=ecs.AwsLogDriverMode.NON_BLOCKING,
        max_buffer_size=Size.mebibytes(25),
    )


def with_init(scope: Construct) -> ecs.LinuxParameters:
    """Give a container an init process that reaps zombies and passes signals on."""
    return ecs.LinuxParameters(scope, "Init", init_process_enabled=True)
