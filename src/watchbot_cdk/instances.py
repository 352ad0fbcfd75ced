"""Whether a cluster has instances, seen at synthesis: they may be added after the Watchbot."""

from __future__ import annotations

import jsii
from aws_cdk import aws_ecs as ecs
from constructs import Construct, IValidation


def require_instances(scope: Construct, cluster: ecs.ICluster) -> None:
    """Let the synthesis fail when the cluster has no EC2 instances by then; an imported one says so itself."""
    scope.node.add_validation(_HasInstances(cluster))


@jsii.implements(IValidation)
class _HasInstances:
    def __init__(self, cluster: ecs.ICluster) -> None:
        self._cluster = cluster

    def validate(self) -> list[str]:
        """Give what is wrong, as the CDK asks for it."""
        if self._cluster.has_ec2_capacity:
            return []
        return [
            f"capacity must not be EC2 with a cluster without instances, got {self._cluster.node.path}: add some with "
            "add_capacity or add_asg_capacity_provider"
        ]
