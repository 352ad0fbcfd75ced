"""Where tasks run: the cluster given, or one of the stack's own, and how they reach the internet from there."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence

from aws_cdk import Annotations, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from watchbot.contract import Isolation
from watchbot_cdk.acknowledgements import acknowledge
from watchbot_cdk.instances import require_instances
from watchbot_cdk.placement import Placement
from watchbot_cdk.roles import of_account
from watchbot_cdk.stacks import arn_prefix
from watchbot_cdk.subnets import Subnets, vpc_of

_CLUSTER_ID = "WatchbotCluster"


@dataclasses.dataclass(frozen=True)
class Interfaces:
    """The network interfaces of tasks that have their own: out to the internet, with nothing let in by default."""

    subnets: Subnets
    public_ip: bool
    security_groups: Sequence[ec2.ISecurityGroup]

    def security_group_ids(self) -> tuple[str, ...]:
        """Give the ids of the security groups."""
        return tuple(group.security_group_id for group in self.security_groups)


@dataclasses.dataclass(frozen=True)
class Network:
    """A cluster, and the interfaces of the service's tasks and of workers; None where they have their instance's."""

    cluster: ecs.ICluster
    service: Interfaces | None
    workers: Interfaces | None
    security_groups: Sequence[ec2.ISecurityGroup] | None

    @functools.cached_property
    def connections(self) -> ec2.Connections:
        """The network side of the tasks, or of the instances whose network they share; made when asked for."""
        if self.security_groups is None:
            return self.cluster.connections
        return ec2.Connections(security_groups=list(self.security_groups))


def add_network(scope: Construct, placement: Placement, isolation: Isolation, stack: Stack) -> Network:
    """Place tasks in the given cluster, or in one that the stack gets, shared by all its Watchbots.

    Workers on EC2 have the network of their instances unless subnets were asked for, and never a public address:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking-awsvpc.html
    """
    cluster = _cluster(scope, placement, stack)
    if not placement.has_subnets(isolation):
        return Network(cluster, None, None, None)
    interfaces = _interfaces(scope, placement, cluster)
    workers: Interfaces | None = interfaces
    groups = list(interfaces.security_groups)
    if placement.shares_instance_network:
        workers = None
        groups += cluster.connections.security_groups
    elif placement.capacity.is_ec2:
        workers = dataclasses.replace(interfaces, public_ip=False)
    service = interfaces if isolation is Isolation.TASK else workers
    for each in (service, workers):
        if each is not None:
            _warn_of_no_way_out(scope, each)
    return Network(cluster, service, workers, groups)


def _cluster(scope: Construct, placement: Placement, stack: Stack) -> ecs.ICluster:
    if placement.cluster is not None:
        if placement.capacity.is_ec2 and placement.capacity.providers is None:
            require_instances(scope, placement.cluster)
        return placement.cluster
    cluster = default_cluster(stack)
    if placement.capacity.providers is not None:
        cluster.enable_fargate_capacity_providers()
    return cluster


def _interfaces(scope: Construct, placement: Placement, cluster: ecs.ICluster) -> Interfaces:
    subnets = placement.subnets_of(cluster)
    public_ip = subnets.has_public if placement.assign_public_ip is None else placement.assign_public_ip
    groups: Sequence[ec2.ISecurityGroup] | None = placement.security_groups
    if groups is None:
        groups = [ec2.SecurityGroup(scope, "SecurityGroup", vpc=vpc_of(cluster).vpc, allow_all_outbound=True)]
    return Interfaces(subnets, public_ip, groups)


def _warn_of_no_way_out(scope: Construct, interfaces: Interfaces) -> None:
    if interfaces.subnets.are_public and not interfaces.public_ip:
        Annotations.of(scope).add_warning_v2(
            "watchbot-cdk:noWayOut",
            "tasks in public subnets without public addresses, which on EC2 they never get, reach AWS only through "
            "VPC endpoints; give vpc_subnets with a NAT gateway, or leave assign_public_ip out on Fargate",
        )


def default_cluster(stack: Stack) -> ecs.Cluster:
    """Find or create the stack's own cluster, in a VPC of two public subnets without a NAT gateway.

    A NAT gateway costs more than most services of this kind; instead each task has a public address and a security
    group that lets nothing in. The default security group is left alone, unused: emptying it takes a Lambda function.
    """
    found = stack.node.try_find_child(_CLUSTER_ID)
    if isinstance(found, ecs.Cluster):
        return found
    vpc = ec2.Vpc(
        stack,
        "WatchbotVpc",
        max_azs=2,
        nat_gateways=0,
        restrict_default_security_group=False,
        subnet_configuration=[ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)],
        gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
    )
    flow_logs = logs.LogGroup(
        stack,
        "WatchbotFlowLogs",
        retention=logs.RetentionDays.TWO_WEEKS,
        removal_policy=RemovalPolicy.DESTROY,
    )
    # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    sources = f"{arn_prefix(stack, 'ec2')}:vpc-flow-log/*"
    role = iam.Role(vpc, "FlowLogIAMRole", assumed_by=of_account("vpc-flow-logs.amazonaws.com", sources, stack))
    vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_logs, role))
    cluster = ecs.Cluster(stack, _CLUSTER_ID, vpc=vpc)
    acknowledge(cluster, {"AwsSolutions-ECS4": "each service has metrics of its own; give a cluster to have more"})
    return cluster
