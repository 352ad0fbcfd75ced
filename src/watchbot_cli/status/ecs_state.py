"""What ECS and Application Auto Scaling say of watchers and of the tasks of workers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from watchbot_cli.ecs_service import TARGET, describe_service, resource_id
from watchbot_cli.pausing.capacity import SCALING
from watchbot_cli.pausing.pausable import paused_from
from watchbot_cli.status.snapshot import Limits, Watchers, WorkerTasks
from watchbot_cli.status.together import or_unreadable

_LIMITS_SECONDS = 3.0
"""Less than a part has altogether: that scaling is not answered for hides nothing else."""

_PAGES = 10
"""Of 100 tasks each: watchers look theirs up with the same calls, of which ECS takes only so many from an account.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
"""


def read_watchers(ecs: Any, autoscaling: Any, cluster: str, name: str) -> Watchers:
    """Describe the service; that its scaling cannot be read hides nothing else."""
    service = describe_service(ecs, cluster, name)
    paused = paused_from(service)
    return Watchers(
        running=service["runningCount"],
        pending=service["pendingCount"],
        desired=service["desiredCount"],
        limits=or_unreadable(lambda: _limits(autoscaling, service), _LIMITS_SECONDS),
        paused=None if paused is None else paused.desired,
        deployment=_deployment(service),
    )


def read_worker_tasks(ecs: Any, cluster: str, family: str) -> WorkerTasks:
    """Count the tasks of the worker's family that ECS means to run.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
    """
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, family=family)
    running, more = 0, False
    for page in itertools.islice(pages, _PAGES):
        running += len(page["taskArns"])
        more = bool(page.get("nextToken"))
    return WorkerTasks(running, at_least=more)


def _limits(autoscaling: Any, service: Mapping[str, Any]) -> Limits | None:
    answer = autoscaling.describe_scalable_targets(ResourceIds=[resource_id(service)], **TARGET)
    for target in answer["ScalableTargets"]:
        state = target.get("SuspendedState", {})
        suspended = all(state.get(name) for name in SCALING)
        return Limits(target["MinCapacity"], target["MaxCapacity"], suspended)
    return None


def _deployment(service: Mapping[str, Any]) -> str | None:
    """Say how far the newest deployment is, until it is complete.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html
    """
    deployments = service.get("deployments", [])
    newest = next((one for one in deployments if one["status"] == "PRIMARY"), None)
    if newest is None:
        return None
    failed = newest.get("failedTasks", 0)
    how_far = f"{newest['runningCount']} of {newest['desiredCount']} new watchers run" + (
        f", {failed} have failed" if failed else ""
    )
    if newest.get("rolloutState") == "FAILED":
        return f"failed: {newest.get('rolloutStateReason') or how_far}"
    under_way = newest.get("rolloutState") == "IN_PROGRESS" or len(deployments) > 1
    return f"under way: {how_far}" if under_way else None
