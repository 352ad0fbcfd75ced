"""The ECS service that keeps the watchers running."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Annotations
from aws_cdk import aws_ecs as ecs
from constructs import Construct, IDependable

from watchbot.contract import Isolation
from watchbot_cdk.arguments import Arguments
from watchbot_cdk.capacity import Capacity
from watchbot_cdk.network import Network
from watchbot_cdk.problems import in_seconds, is_token
from watchbot_cdk.scaling import Scaling

_ID = "Service"
_MIN_HEALTHY_PERCENT = 100
_MAX_HEALTHY_PERCENT = 200
_LONGEST_DURING_UPDATE_SECONDS = 2.5 * 3600


def add_service(
    scope: Construct,
    arguments: Arguments,
    network: Network,
    definition: ecs.TaskDefinition,
    needs: Sequence[IDependable],
) -> ecs.BaseService:
    """Create the service: new watchers start before old ones drain, and a deployment that cannot start is undone.

    It waits for its tasks' roles, for ``needs``, the cluster's capacity providers and the network's way out: tasks
    started before their rights and routes exist would fail, and after a few of those the circuit breaker undoes a good
    deployment.
    """
    capacity = arguments.placement.capacity
    is_process = arguments.isolation is Isolation.PROCESS
    service: ecs.BaseService
    if is_process and capacity.is_ec2:
        service = _ec2_service(scope, arguments, network, definition)
    else:
        # With Isolation.TASK the capacity is that of workers.
        service = _fargate_service(
            scope, arguments, network, definition, capacity if is_process else Capacity.fargate()
        )
    providers = () if capacity.providers is None else (network.cluster,)
    ways_out = () if network.service is None else network.service.subnets.ways_out
    awaited = (*needs, *providers, *ways_out)
    if awaited:
        service.node.add_dependency(*awaited)
    _warn_of_long_updates(service, arguments)
    return service


def _fargate_service(
    scope: Construct,
    arguments: Arguments,
    network: Network,
    definition: ecs.TaskDefinition,
    capacity: Capacity,
) -> ecs.FargateService:
    interfaces = network.service
    assert interfaces is not None  # noqa: S101 - tasks on Fargate always have their own
    return ecs.FargateService(
        scope,
        _ID,
        cluster=network.cluster,
        task_definition=definition,
        desired_count=_desired_count(arguments.watchers),
        min_healthy_percent=_MIN_HEALTHY_PERCENT,
        max_healthy_percent=_MAX_HEALTHY_PERCENT,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        propagate_tags=ecs.PropagatedTagSource.TASK_DEFINITION,
        # ECS turns it on for new services that do not say, and then stops tasks, jobs and all, to even out zones.
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
        capacity_provider_strategies=_strategies(capacity),
        vpc_subnets=interfaces.subnets.selection,
        assign_public_ip=interfaces.public_ip,
        security_groups=list(interfaces.security_groups),
    )


def _ec2_service(
    scope: Construct, arguments: Arguments, network: Network, definition: ecs.TaskDefinition
) -> ecs.Ec2Service:
    """Create it on instances, which need room for both generations of tasks while it is deployed."""
    placement = arguments.placement
    interfaces = network.service
    return ecs.Ec2Service(
        scope,
        _ID,
        cluster=network.cluster,
        task_definition=definition,
        desired_count=_desired_count(arguments.watchers),
        min_healthy_percent=_MIN_HEALTHY_PERCENT,
        max_healthy_percent=_MAX_HEALTHY_PERCENT,
        circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
        propagate_tags=ecs.PropagatedTagSource.TASK_DEFINITION,
        availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.DISABLED,
        capacity_provider_strategies=_strategies(placement.capacity),
        placement_constraints=list(placement.placement_constraints) or None,
        placement_strategies=list(placement.placement_strategies) or None,
        vpc_subnets=None if interfaces is None else interfaces.subnets.selection,
        security_groups=None if interfaces is None else list(interfaces.security_groups),
    )


def _warn_of_long_updates(service: ecs.BaseService, arguments: Arguments) -> None:
    """Warn of jobs that outlast CloudFormation, which gives up on a service after three hours.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
    """
    limit = arguments.job_timeout
    if arguments.isolation is not Isolation.PROCESS or limit is None or is_token(limit):
        return
    if in_seconds(limit) > _LONGEST_DURING_UPDATE_SECONDS:
        Annotations.of(service).add_warning_v2(
            "watchbot-cdk:longUpdate",
            f"job_timeout is {in_seconds(limit):.12g} s: an update of the stack waits for the jobs that run, which "
            "watchers protect from being stopped, and CloudFormation fails it after 3 hours; Isolation.TASK has "
            "updates that wait for no job",
        )


def _desired_count(watchers: float | Scaling) -> float | None:
    """Give none with Scaling, or each deployment would set the number of watchers back."""
    return None if isinstance(watchers, Scaling) else watchers


def _strategies(capacity: Capacity) -> list[ecs.CapacityProviderStrategy] | None:
    return None if capacity.providers is None else list(capacity.providers)
