"""Where tasks were asked to run: cluster, capacity, network, and the choice among instances."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs

from watchbot.contract import Isolation, LaunchType
from watchbot_cdk.capacity import Capacity, capacity_problems
from watchbot_cdk.problems import is_list_of, kind_problems
from watchbot_cdk.subnets import Subnets, default_subnets, has_vpc, selected_subnets, vpc_of

_MOST_CONSTRAINTS = 10
_MOST_STRATEGIES = 5
_MOST_SECURITY_GROUPS = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """The arguments of a Watchbot that say where its tasks run."""

    cluster: ecs.ICluster | None
    capacity: Capacity
    vpc_subnets: ec2.SubnetSelection | None
    security_groups: Sequence[ec2.ISecurityGroup] | None
    assign_public_ip: bool | None
    placement_constraints: Sequence[ecs.PlacementConstraint]
    placement_strategies: Sequence[ecs.PlacementStrategy]

    @property
    def shares_instance_network(self) -> bool:
        """Whether workers have the network of the instances they run on (mode bridge), and no subnets of their own."""
        return self.capacity.is_ec2 and self.vpc_subnets is None

    def has_subnets(self, isolation: Isolation) -> bool:
        """Whether a task of the service is in a subnet; with Isolation.TASK the watchers always are."""
        return isolation is Isolation.TASK or not self.shares_instance_network

    def subnets_of(self, cluster: ecs.ICluster) -> Subnets:
        """Give the subnets asked for, else private ones with a way out if there are any, else public ones."""
        if self.vpc_subnets is not None:
            return selected_subnets(cluster, self.vpc_subnets)
        return default_subnets(cluster, public=self.cluster is None or self.assign_public_ip is True)

    def kinds(self) -> Iterable[str]:
        """Say which arguments are of another kind."""
        if not (self.cluster is None or isinstance(self.cluster, ecs.Cluster) or hasattr(self.cluster, "cluster_arn")):
            yield f"cluster must be a Cluster or None, got {self.cluster!r}"
        yield from kind_problems("capacity", self.capacity, Capacity)
        if isinstance(self.capacity, Capacity):
            yield from kind_problems("capacity launch_type", self.capacity.launch_type, LaunchType)
        yield from kind_problems("vpc_subnets", self.vpc_subnets, ec2.SubnetSelection, optional=True)
        yield from kind_problems("assign_public_ip", self.assign_public_ip, bool, optional=True)
        if self.security_groups is not None and not _are_security_groups(self.security_groups):
            yield f"security_groups must be a list of SecurityGroup or None, got {self.security_groups!r}"
        if not is_list_of(ecs.PlacementConstraint, self.placement_constraints):
            yield f"placement_constraints must be a list of PlacementConstraint, got {self.placement_constraints!r}"
        if not is_list_of(ecs.PlacementStrategy, self.placement_strategies):
            yield f"placement_strategies must be a list of PlacementStrategy, got {self.placement_strategies!r}"

    def problems(self, isolation: Isolation) -> Iterable[str]:
        """Say what cannot be, of arguments of the right kinds."""
        yield from capacity_problems(self.capacity, isolation)
        if self.cluster is None:
            yield from self._default_cluster_problems()
        elif not has_vpc(self.cluster):
            yield (
                "cluster must be one whose VPC is known, got one imported by its ARN alone: use "
                "Cluster.from_cluster_attributes"
            )
        elif self.has_subnets(isolation):
            yield from self._subnet_problems(self.cluster)
        yield from self._security_group_problems()
        yield from self._instance_problems()
        if self.capacity.is_ec2 and self.assign_public_ip:
            yield "assign_public_ip must not be True with EC2 capacity, got True: ECS gives tasks on instances none"

    def _default_cluster_problems(self) -> Iterable[str]:
        if self.capacity.is_ec2:
            yield "cluster is required with EC2 capacity, got None: the default cluster has no instances"
        if self.vpc_subnets is not None:
            yield "cluster is required with vpc_subnets, got None: the default network has public subnets alone"
        if self.assign_public_ip is False:
            yield (
                "assign_public_ip must not be False without a cluster, got False: the default network has no NAT "
                "gateway, and without a public address no task in it can reach AWS"
            )

    def _subnet_problems(self, cluster: ecs.ICluster) -> Iterable[str]:
        found = vpc_of(cluster)
        vpc = found.vpc
        if self.vpc_subnets is None and not found.has_egress and not found.public_ids:
            yield (
                "cluster must be in a VPC with public subnets, or private ones with egress, "
                f"got one in {vpc.node.path}, from where no task can reach AWS"
            )
            return
        if self.vpc_subnets is None and self.assign_public_ip and not found.public_ids:
            yield f"assign_public_ip must not be True with a cluster in {vpc.node.path}, which has no public subnets"
            return
        try:
            selected = self.subnets_of(cluster)
        except RuntimeError as error:
            yield f"vpc_subnets must be subnets of {vpc.node.path}: {error}"
            return
        if not selected.is_known:
            return
        if not selected.ids:
            yield f"vpc_subnets must be at least one subnet of {vpc.node.path}, got none"
        elif self.assign_public_ip and selected.has_private and not selected.has_public:
            yield (
                "assign_public_ip must not be True with private vpc_subnets, got True: they have no route from the "
                "internet to a public address, and need none for their way out"
            )

    def _security_group_problems(self) -> Iterable[str]:
        groups = self.security_groups
        if groups is None:
            return
        if not 1 <= len(groups) <= _MOST_SECURITY_GROUPS:
            yield f"security_groups must be 1 to {_MOST_SECURITY_GROUPS} security groups, got {len(groups)}"
        if self.shares_instance_network:
            yield (
                "security_groups needs vpc_subnets with EC2 capacity, got None: without subnets of their own workers "
                "have the security groups of their instances"
            )

    def _instance_problems(self) -> Iterable[str]:
        chosen: tuple[tuple[str, Sequence[object], int], ...] = (
            ("placement_constraints", self.placement_constraints, _MOST_CONSTRAINTS),
            ("placement_strategies", self.placement_strategies, _MOST_STRATEGIES),
        )
        for name, rules, most in chosen:
            if rules and not self.capacity.is_ec2:
                yield f"{name} is for EC2 capacity, got {len(rules)}: Fargate has no instances to choose from"
            elif len(rules) > most:
                yield f"{name} must be at most {most}, got {len(rules)}"


def _are_security_groups(value: object) -> bool:
    return is_list_of(object, value) and all(hasattr(one, "security_group_id") for one in value)  # type: ignore[attr-defined] # a list
