"""An ECS service that can be paused."""

from __future__ import annotations

from typing import Any

from watchbot_cli.errors import CommandError
from watchbot_cli.pausing.capacity import SCALING, Capacity

TAG = "watchbot:paused"
"""On the ECS service while it is paused: what :class:`Capacity` it goes back to."""

_SUSPENDED = (True,) * len(SCALING)


class PausableService:
    """Pauses and resumes; doing so twice is doing so once."""

    def __init__(self, ecs: Any, autoscaling: Any, cluster: str, name: str) -> None:
        self._ecs = ecs
        self._autoscaling = autoscaling
        self._cluster = cluster
        self._name = name
        self._target = {
            "ServiceNamespace": "ecs",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        self._resource = f"service/{cluster}/{name}"

    def pause(self) -> Capacity:
        """Want no watchers and let nothing scale them, once what to go back to is written down; returns that."""
        service = self._described()
        before = _paused_from(service)
        if before is None:
            before = Capacity(service["desiredCount"], self._suspended())
            self._ecs.tag_resource(resourceArn=service["serviceArn"], tags=[{"key": TAG, "value": before.to_tag()}])
        if before.suspended is not None:
            self._suspend(_SUSPENDED)
        self._want(0)
        return before

    def resume(self) -> Capacity | None:
        """Go back to what there was before the pause, and forget it last; None when there was no pause."""
        service = self._described()
        before = _paused_from(service)
        if before is None:
            return None
        self._want(before.desired)
        if before.suspended is not None:
            self._suspend(before.suspended)
        self._ecs.untag_resource(resourceArn=service["serviceArn"], tagKeys=[TAG])
        return before

    def _described(self) -> dict[str, Any]:
        answer = self._ecs.describe_services(cluster=self._cluster, services=[self._name], include=["TAGS"])
        active: list[dict[str, Any]] = [one for one in answer["services"] if one["status"] == "ACTIVE"]
        if not active:
            raise CommandError(f"the ECS service {self._name!r} is not active in cluster {self._cluster!r}")
        return active[0]

    def _suspended(self) -> tuple[bool, ...] | None:
        answer = self._autoscaling.describe_scalable_targets(ResourceIds=[self._resource], **self._target)
        for target in answer["ScalableTargets"]:
            state = target.get("SuspendedState", {})
            return tuple(bool(state.get(name)) for name in SCALING)
        return None

    def _suspend(self, flags: tuple[bool, ...]) -> None:
        """Change this alone: limits that are not named stay as they are.

        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        state = dict(zip(SCALING, flags, strict=True))
        self._autoscaling.register_scalable_target(ResourceId=self._resource, SuspendedState=state, **self._target)

    def _want(self, watchers: int) -> None:
        self._ecs.update_service(cluster=self._cluster, service=self._name, desiredCount=watchers)


def _paused_from(service: dict[str, Any]) -> Capacity | None:
    return next((Capacity.from_tag(tag["value"]) for tag in service.get("tags", []) if tag["key"] == TAG), None)
