"""Which subnets tasks are connected to."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import IDependable


@dataclasses.dataclass(frozen=True)
class Subnets:
    """The subnets that a selection comes to.

    ``is_known`` is false for what the CDK looks up in the account after a first synthesis. Subnets that are imported
    one by one are in none of the VPC's groups: then neither ``has_public`` nor ``has_private``.
    """

    ids: Sequence[str]
    has_public: bool
    has_private: bool
    is_known: bool
    ways_out: Sequence[IDependable]
    """What must exist before a task reaches the internet: routes."""

    @property
    def are_public(self) -> bool:
        """Whether no task is in another kind of subnet."""
        return self.has_public and not self.has_private


def default_subnets(vpc: ec2.IVpc, *, public: bool) -> ec2.SubnetSelection:
    """Choose the private subnets with a way out, if there are any and ``public`` does not rule them out."""
    private = not public and len(vpc.private_subnets) > 0
    return ec2.SubnetSelection(
        subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS if private else ec2.SubnetType.PUBLIC,
    )


def selected_subnets(vpc: ec2.IVpc, selection: ec2.SubnetSelection) -> Subnets:
    """Look the subnets of a selection up; raises RuntimeError, as the CDK does, when there are none such."""
    chosen = selection.subnets
    if chosen is not None and not (selection.availability_zones or selection.one_per_az or selection.subnet_filters):
        # The CDK would ask each for its zone, which subnets that are imported by their ids do not have.
        ways_out = [subnet.internet_connectivity_established for subnet in chosen]
        return _subnets(vpc, [subnet.subnet_id for subnet in chosen], True, ways_out)
    found = vpc.select_subnets(
        availability_zones=selection.availability_zones,
        one_per_az=selection.one_per_az,
        subnet_filters=selection.subnet_filters,
        subnet_group_name=selection.subnet_group_name,
        subnets=chosen,
        subnet_type=selection.subnet_type,
    )
    return _subnets(vpc, found.subnet_ids, not found.is_pending_lookup, [found.internet_connectivity_established])


def _subnets(vpc: ec2.IVpc, ids: Sequence[str], is_known: bool, ways_out: Sequence[IDependable]) -> Subnets:
    public = {subnet.subnet_id for subnet in vpc.public_subnets}
    private = {subnet.subnet_id for subnet in (*vpc.private_subnets, *vpc.isolated_subnets)}
    return Subnets(ids, not public.isdisjoint(ids), not private.isdisjoint(ids), is_known, ways_out)
