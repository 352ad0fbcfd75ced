"""ECS, with what goes wrong reported: those who follow, launch or stop tasks only try again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from watchbot.ecs import Ecs, EcsError

_T = TypeVar("_T")


class ReportedEcs:
    """Passes every call on; whatever stops one is an :class:`EcsError`, because only that is tried again.

    What is not reported here is told elsewhere: a launch that ECS refuses and a look-up that fails keep a job from
    starting, and are the reason that is given for that.
    """

    def __init__(self, ecs: Ecs, report: Callable[[str], None]) -> None:
        self._ecs = ecs
        self._report = report
        self.list_tasks = ecs.list_tasks

    async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """RunTask."""
        return await self._reported(self._ecs.run_task(request), lambda error: not error.answered)

    async def describe_tasks(self, arns: Sequence[str]) -> Mapping[str, Any]:
        """DescribeTasks; a task that the answer neither describes nor calls missing is reported as well."""
        answer = await self._reported(self._ecs.describe_tasks(arns))
        told = {task.get("taskArn") for task in answer.get("tasks") or ()}
        reasons = {one.get("arn"): str(one.get("reason")) for one in answer.get("failures") or ()}
        for arn in arns:
            if arn not in told and reasons.get(arn) != "MISSING":
                self._report(f"ECS does not describe {arn}: {reasons.get(arn, 'no reason given')}")
        return answer

    async def stop_task(self, arn: str, reason: str) -> None:
        """StopTask."""
        await self._reported(self._ecs.stop_task(arn, reason))

    async def _reported(self, call: Awaitable[_T], is_told: Callable[[EcsError], bool] = lambda _: True) -> _T:
        try:
            return await call
        except Exception as failure:
            error = failure if isinstance(failure, EcsError) else EcsError(f"ECS cannot be called: {failure!r}")
            if is_told(error):
                self._report(str(error))
            raise error from failure
