"""The ECS service that keeps the watchers running."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs
from constructs import Construct

from watchbot_cdk.network import Network


def add_service(
    scope: Construct, network: Network, definition: ecs.FargateTaskDefinition, watchers: float
) -> ecs.FargateService:
    """Create the service: new watchers start before old ones drain, and a deployment that cannot start is undone."""
    return ecs.FargateService(
        scope,
        "Service",
        cluster=network.cluster,
        task_definition=definition,
        desired_count=watchers,
        min_healthy_percent=100,
        max_healthy_percent=200,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        vpc_subnets=network.subnets,
        assign_public_ip=network.public_ip,
        security_groups=[network.security_group],
    )
