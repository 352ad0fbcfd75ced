"""Lists of ECS, page by page; and what is on them, as many at once as one call takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

_MOST_DESCRIBED = 100
"""Of tasks and of container instances alike.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html and
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeContainerInstances.html
"""


def cluster_arns(ecs: Any) -> list[str]:
    """List the clusters of the account and region."""
    return [arn for page in ecs.get_paginator("list_clusters").paginate() for arn in page["clusterArns"]]


def instance_arns(ecs: Any, cluster: str, expression: str | None = None) -> list[str]:
    """List the instances of a cluster, or those for which an expression of its query language holds.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html
    """
    chosen = {} if expression is None else {"filter": expression}
    pages = ecs.get_paginator("list_container_instances").paginate(cluster=cluster, **chosen)
    return [arn for page in pages for arn in page["containerInstanceArns"]]


def instances(ecs: Any, cluster: str, arns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Describe instances; those that went meanwhile are left out."""
    for some in _hundreds(arns):
        yield from ecs.describe_container_instances(cluster=cluster, containerInstances=some)["containerInstances"]


def tasks(ecs: Any, cluster: str) -> Iterator[dict[str, Any]]:
    """Describe the tasks of a cluster that run or are to run."""
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster)
    for some in _hundreds([arn for page in pages for arn in page["taskArns"]]):
        yield from ecs.describe_tasks(cluster=cluster, tasks=some)["tasks"]


def _hundreds(arns: Sequence[str]) -> Iterator[Sequence[str]]:
    return (arns[start : start + _MOST_DESCRIBED] for start in range(0, len(arns), _MOST_DESCRIBED))
