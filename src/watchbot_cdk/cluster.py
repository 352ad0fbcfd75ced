"""A cluster by its names, for all services in it."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs

from watchbot_cdk.remembered import remembered
from watchbot_cdk.stacks import arn_prefix


@remembered
def cluster_arn(cluster: ecs.ICluster) -> str:
    """Give the cluster's ARN."""
    return cluster.cluster_arn


@remembered
def tasks_of(cluster: ecs.ICluster, stack: Stack) -> str:
    """Give the ARN that all tasks of a cluster match."""
    return f"{arn_prefix(stack, 'ecs')}:task/{cluster.cluster_name}/*"
