"""What an account may use of Fargate, and what it uses."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from watchbot_cli.refusal import refusal_of
from watchbot_cli.room.ecs_pages import cluster_arns, tasks
from watchbot_cli.room.placement import WorkerPlacement
from watchbot_cli.room.pool import Pool

QUOTAS = {"FARGATE": "L-3032A538", "FARGATE_SPOT": "L-36FBB829"}
"""How many vCPU may run at once in an account and region.

https://docs.aws.amazon.com/general/latest/gr/ecs-service.html
"""

_UNITS = 1024


class Fargate:
    """The quotas of Fargate; what is used of them is added up once, over the tasks of all clusters."""

    def __init__(self, ecs: Any, quotas: Any, placement: WorkerPlacement) -> None:
        self._ecs = ecs
        self._quotas = quotas
        self._cluster = placement.cluster
        self._cpu = placement.demand.cpu

    def pool(self, provider: str) -> Pool:
        """Give the room in the quota of on demand or of Spot; raises ``ClientError``."""
        quota = self._quota(QUOTAS[provider])
        used, whose = self._used
        return Pool(
            name=provider,
            tasks=max(0, int(quota * _UNITS) - used[provider]) // self._cpu,
            why=f"{quota:g} vCPU are allowed, {used[provider] / _UNITS:g} in use by {whose}",
        )

    def _quota(self, code: str) -> float:
        """Read what applies; an account that never asked for more may have the default alone.

        https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
        """
        which = {"ServiceCode": "fargate", "QuotaCode": code}
        try:
            answer = self._quotas.get_service_quota(**which)
        except self._quotas.exceptions.NoSuchResourceException:
            answer = self._quotas.get_aws_default_service_quota(**which)
        return float(answer["Quota"]["Value"])

    @functools.cached_property
    def _used(self) -> tuple[Counter[str], str]:
        """Add up what runs in all clusters, or where that is refused in this one; and say which."""
        try:
            return self._units_in(cluster_arns(self._ecs)), "the ECS tasks of this account and region"
        except ClientError as error:
            alone = f"this cluster's tasks, those of others are not known: {refusal_of(error)}"
            return self._units_in([self._cluster]), alone

    def _units_in(self, clusters: Iterable[str]) -> Counter[str]:
        used: Counter[str] = Counter()
        for cluster in clusters:
            for task in tasks(self._ecs, cluster):
                used[_provider_of(task)] += int(task.get("cpu", 0))
        return used


def _provider_of(task: Mapping[str, Any]) -> str:
    """Give what a task runs on; of tasks on Fargate that name no capacity provider, on demand."""
    return str(task.get("capacityProviderName") or task.get("launchType"))
