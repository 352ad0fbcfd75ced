"""Which subnets tasks are connected to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from aws_cdk import Fn, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import IDependable

from watchbot_cdk.remembered import remembered


@dataclasses.dataclass(frozen=True)
class Subnets:
    """The subnets that a selection comes to; their ids are joined into one where they are known only at deployment.

    ``is_known`` is false for what the CDK looks up in the account after a first synthesis. Subnets that are imported
    one by one are in none of the VPC's groups: then neither ``has_public`` nor ``has_private``.
    """

    selection: ec2.SubnetSelection
    ids: tuple[str, ...]
    has_public: bool
    has_private: bool
    is_known: bool
    ways_out: Sequence[IDependable]
    """What must exist before a task reaches the internet: routes."""

    @property
    def are_public(self) -> bool:
        """Whether no task is in another kind of subnet."""
        return self.has_public and not self.has_private


@dataclasses.dataclass(frozen=True)
class ClusterVpc:
    """The VPC of a cluster, and the ids of its subnets; isolated ones, without egress, are private too."""

    vpc: ec2.IVpc
    public_ids: frozenset[str]
    private_ids: frozenset[str]
    has_egress: bool


@remembered
def vpc_of(cluster: ecs.ICluster) -> ClusterVpc:
    """Read the VPC of a cluster, which keeps the subnets it was made with."""
    vpc = cluster.vpc
    private = vpc.private_subnets
    return ClusterVpc(
        vpc, _ids(vpc.public_subnets), _ids(private) | _ids(vpc.isolated_subnets), has_egress=len(private) > 0
    )


@remembered
def has_vpc(cluster: ecs.ICluster) -> bool:
    """Whether the VPC of a cluster is known, and with it its security groups; not of one imported by its ARN."""
    try:
        vpc_of(cluster)
    except RuntimeError:
        return False
    return True


@remembered
def default_subnets(cluster: ecs.ICluster, *, public: bool) -> Subnets:
    """Choose the private subnets with a way out, if there are any and ``public`` does not rule them out."""
    private = vpc_of(cluster).has_egress and not public
    kind = ec2.SubnetType.PRIVATE_WITH_EGRESS if private else ec2.SubnetType.PUBLIC
    return selected_subnets(cluster, ec2.SubnetSelection(subnet_type=kind))


def selected_subnets(cluster: ecs.ICluster, selection: ec2.SubnetSelection) -> Subnets:
    """Look the subnets of a selection up; raises RuntimeError, as the CDK does, when there are none such."""
    vpc = vpc_of(cluster)
    chosen = selection.subnets
    if chosen is not None and not (selection.availability_zones or selection.one_per_az or selection.subnet_filters):
        # The CDK would ask each for its zone, which subnets that are imported by their ids do not have.
        ways_out = [subnet.internet_connectivity_established for subnet in chosen]
        return _subnets(vpc, selection, [subnet.subnet_id for subnet in chosen], True, ways_out)
    found = vpc.vpc.select_subnets(
        availability_zones=selection.availability_zones,
        one_per_az=selection.one_per_az,
        subnet_filters=selection.subnet_filters,
        subnet_group_name=selection.subnet_group_name,
        subnets=chosen,
        subnet_type=selection.subnet_type,
    )
    ways_out = [found.internet_connectivity_established]
    return _subnets(vpc, selection, found.subnet_ids, not found.is_pending_lookup, ways_out)


def _subnets(
    vpc: ClusterVpc, selection: ec2.SubnetSelection, ids: Sequence[str], is_known: bool, ways_out: Sequence[IDependable]
) -> Subnets:
    return Subnets(
        selection,
        (Fn.join(",", ids),) if Token.is_unresolved(ids) else tuple(ids),
        not vpc.public_ids.isdisjoint(ids),
        not vpc.private_ids.isdisjoint(ids),
        is_known,
        ways_out,
    )


def _ids(subnets: Sequence[ec2.ISubnet]) -> frozenset[str]:
    return frozenset(subnet.subnet_id for subnet in subnets)
