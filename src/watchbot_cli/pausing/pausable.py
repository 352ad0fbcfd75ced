"""An ECS service that can be paused."""

from __future__ import annotations

from typing import Any

from watchbot_cli.ecs_service import TARGET, describe_service, resource_id
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

    def pause(self) -> Capacity:
        """Want no watchers and let nothing scale them, once what to go back to is written down; returns that."""
        service = self._described()
        before = paused_from(service)
        if before is None:
            before = Capacity(service["desiredCount"], self._suspended(service))
            self._ecs.tag_resource(resourceArn=service["serviceArn"], tags=[{"key": TAG, "value": before.to_tag()}])
        if before.suspended is not None:
            self._suspend(service, _SUSPENDED)
        self._want(0)
        return before

    def resume(self) -> Capacity | None:
        """Go back to what there was before the pause, and forget it last; None when there was no pause."""
        service = self._described()
        before = paused_from(service)
        if before is None:
            return None
        self._want(before.desired)
        if before.suspended is not None:
            self._suspend(service, before.suspended)
        self._ecs.untag_resource(resourceArn=service["serviceArn"], tagKeys=[TAG])
        return before

    def _described(self) -> dict[str, Any]:
        return describe_service(self._ecs, self._cluster, self._name)

    def _suspended(self, service: dict[str, Any]) -> tuple[bool, ...] | None:
        answer = self._autoscaling.describe_scalable_targets(ResourceIds=[resource_id(service)], **TARGET)
        for target in answer["ScalableTargets"]:
            state = target.get("SuspendedState", {})
            return tuple(bool(state.get(name)) for name in SCALING)
        return None

    def _suspend(self, service: dict[str, Any], flags: tuple[bool, ...]) -> None:
        """Change this alone: limits that are not named stay as they are.

        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        state = dict(zip(SCALING, flags, strict=True))
        self._autoscaling.register_scalable_target(ResourceId=resource_id(service), SuspendedState=state, **TARGET)

    def _want(self, watchers: int) -> None:
        self._ecs.update_service(cluster=self._cluster, service=self._name, desiredCount=watchers)


def paused_from(service: dict[str, Any]) -> Capacity | None:
    """Give what a paused service goes back to, by its tag; None when it is not paused."""
    return next((Capacity.from_tag(tag["value"]) for tag in service.get("tags", []) if tag["key"] == TAG), None)
