"""Reads of ECS within their budget: what follows tasks and what looks for them share it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from watchbot.call_budget import CallBudget
from watchbot.ecs import Ecs, EcsError, TaskPage

_T = TypeVar("_T")

_ATTEMPTS = 4


class EcsReads:
    """DescribeTasks and ListTasks; a call that ECS throttles is made again a few times, ever more slowly."""

    def __init__(self, ecs: Ecs, budget: CallBudget) -> None:
        self._ecs = ecs
        self._budget = budget

    async def describe_tasks(self, arns: Sequence[str]) -> Mapping[str, Any]:
        """Ask how up to 100 tasks are; raises :class:`EcsError`."""
        return await self._within_budget(lambda: self._ecs.describe_tasks(arns))

    async def list_tasks(
        self,
        *,
        started_by: str | None = None,
        family: str | None = None,
        desired_status: str = "RUNNING",
        next_token: str | None = None,
    ) -> TaskPage:
        """List a page of tasks; raises :class:`EcsError`."""
        return await self._within_budget(
            lambda: self._ecs.list_tasks(
                started_by=started_by, family=family, desired_status=desired_status, next_token=next_token
            )
        )

    async def _within_budget(self, call: Callable[[], Awaitable[_T]]) -> _T:
        attempt = 1
        while True:
            await self._budget.take()
            try:
                answer = await call()
            except EcsError as error:
                if not error.throttled:
                    raise
                self._budget.refused()
                if attempt == _ATTEMPTS:
                    raise
                attempt += 1
            else:
                self._budget.granted()
                return answer
