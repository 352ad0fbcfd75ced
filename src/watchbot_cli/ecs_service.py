"""The ECS service of the watchers, as ECS and Application Auto Scaling know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchbot_cli.errors import CommandError

TARGET = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
"""With a resource's id, what names the scaling of a service."""


def describe_service(ecs: Any, cluster: str, name: str) -> dict[str, Any]:
    """Ask ECS of a service and its tags; raises :class:`CommandError` when it does not run it."""
    answer = ecs.describe_services(cluster=cluster, services=[name], include=["TAGS"])
    active: list[dict[str, Any]] = [one for one in answer["services"] if one["status"] == "ACTIVE"]
    if not active:
        raise CommandError(f"the ECS service {name!r} is not active in cluster {cluster!r}")
    return active[0]


def resource_id(service: Mapping[str, Any]) -> str:
    """Name a service as Application Auto Scaling does: by the names of cluster and service, never by their ARNs.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTarget.html
    """
    cluster = service["clusterArn"].rpartition("/")[2]
    return f"service/{cluster}/{service['serviceName']}"
