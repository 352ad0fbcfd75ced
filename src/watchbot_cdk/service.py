"""The ECS service that keeps the watchers running."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_ecs as ecs
from constructs import Construct, IDependable

from watchbot_cdk.network import Network


def add_service(
    scope: Construct,
    network: Network,
    definition: ecs.FargateTaskDefinition,
    watchers: float,
    needs: Sequence[IDependable],
) -> ecs.FargateService:
    """Create the service: new watchers start before old ones drain, and a deployment that cannot start is undone.

    It waits for ``needs`` and the network's way out: tasks started before their rights and routes exist would fail,
    and after a few of those the circuit breaker undoes a good deployment.
    """
    service = ecs.FargateService(
        scope,
        "Service",
        cluster=network.cluster,
        task_definition=definition,
        desired_count=watchers,
        min_healthy_percent=100,
        max_healthy_percent=200,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        # ECS turns it on for new services that do not say, and then stops tasks, jobs and all, to even out zones.
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
        vpc_subnets=network.subnets,
        assign_public_ip=network.public_ip,
        security_groups=[network.security_group],
    )
    service.node.add_dependency(*needs, network.way_out())
    return service
