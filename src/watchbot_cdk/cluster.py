"""A cluster by its names, for all services in it."""

from __future__ import annotations

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ecs as ecs

from watchbot_cdk.remembered import remembered


@remembered
def cluster_arn(cluster: ecs.ICluster) -> str:
    """Give the cluster's ARN."""
    return cluster.cluster_arn


@remembered
def tasks_of(cluster: ecs.ICluster, stack: Stack) -> str:
    """Give the ARN that all tasks of a cluster match."""
    return stack.format_arn(
        service="ecs",
        resource="task",
        resource_name=f"{cluster.cluster_name}/*",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
