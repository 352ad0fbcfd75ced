"""Where tasks run: the cluster given, or one of the stack's own, and the subnets that reach the internet from there."""

from __future__ import annotations

import dataclasses

from aws_cdk import Fn, RemovalPolicy, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

_CLUSTER_ID = "WatchbotCluster"


@dataclasses.dataclass(frozen=True)
class Network:
    """A cluster and how its tasks are connected: out to the internet, with nothing let in."""

    cluster: ecs.ICluster
    subnets: ec2.SubnetSelection
    public_ip: bool
    security_group: ec2.SecurityGroup

    def subnet_ids(self) -> tuple[str, ...]:
        """Give the ids of the subnets, joined into one where they are known only at deployment."""
        ids = self.cluster.vpc.select_subnets(subnet_type=self.subnets.subnet_type).subnet_ids
        return (Fn.join(",", ids),) if Token.is_unresolved(ids) else tuple(ids)

    def way_out(self) -> IDependable:
        """Give what must exist before a task can pull its image: the routes of the subnets to the internet."""
        subnets = self.cluster.vpc.select_subnets(subnet_type=self.subnets.subnet_type)
        return subnets.internet_connectivity_established


def add_network(scope: Construct, cluster: ecs.ICluster | None) -> Network:
    """Place tasks in the given cluster, in private subnets with a way out if there are any, else in public ones.

    Without a cluster the stack gets one, shared by all its Watchbots.
    """
    chosen = default_cluster(Stack.of(scope)) if cluster is None else cluster
    private = cluster is not None and len(chosen.vpc.private_subnets) > 0
    kind = ec2.SubnetType.PRIVATE_WITH_EGRESS if private else ec2.SubnetType.PUBLIC
    security_group = ec2.SecurityGroup(scope, "SecurityGroup", vpc=chosen.vpc, allow_all_outbound=True)
    return Network(chosen, ec2.SubnetSelection(subnet_type=kind), not private, security_group)


def default_cluster(stack: Stack) -> ecs.ICluster:
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
    vpc.add_flow_log("FlowLog", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_logs))
    return ecs.Cluster(stack, _CLUSTER_ID, vpc=vpc)
