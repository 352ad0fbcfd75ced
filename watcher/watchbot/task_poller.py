"""One poller for all running tasks: DescribeTasks, a hundred at a time."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from watchbot.ecs import DESCRIBE_LIMIT, Ecs, EcsError
from watchbot.stopped_task import is_stopped

Task = Mapping[str, Any]
"""A task as DescribeTasks shows it."""

_INTERVAL_SECONDS = 2.0
_LONGEST_INTERVAL_SECONDS = 60.0
_CALLS_PER_SECOND = 2.0
"""A share of the account's 20 read calls a second, which all watchers and everyone else draw on."""

_MISSING_SECONDS = 300.0
_MISSING_POLLS = 3
"""A task may be missing from answers for a while after its launch, because ECS is eventually consistent."""


@dataclasses.dataclass(slots=True)
class _Followed:
    since: float
    stopped: asyncio.Future[Task | None]
    seen: Callable[[Task], None]
    missing: int = 0


class TaskPoller:
    """Tells for each followed task when it has stopped; nothing is called while none is followed.

    The interval grows with the number of calls that one round takes, doubles when ECS refuses, and comes back.
    """

    def __init__(self, ecs: Ecs) -> None:
        self._ecs = ecs
        self._followed: dict[str, _Followed] = {}
        self._interval_seconds = _INTERVAL_SECONDS
        self._polling: asyncio.Task[None] | None = None

    async def stopped(self, arn: str, seen: Callable[[Task], None]) -> Task | None:
        """Follow a task to its end; None when ECS no longer knows it, or when it was forgotten.

        ``seen`` is called with every description of the task on the way.
        """
        loop = asyncio.get_running_loop()
        followed = _Followed(loop.time(), loop.create_future(), seen)
        self._followed[arn] = followed
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            return await followed.stopped
        finally:
            self._followed.pop(arn, None)

    def forget(self, arn: str) -> None:
        """Stop following the task; it goes on by itself."""
        followed = self._followed.pop(arn, None)
        if followed is not None and not followed.stopped.done():
            followed.stopped.set_result(None)

    async def _poll(self) -> None:
        while self._followed:
            await asyncio.sleep(max(self._interval_seconds, len(self._followed) / DESCRIBE_LIMIT / _CALLS_PER_SECOND))
            arns = list(self._followed)
            try:
                for start in range(0, len(arns), DESCRIBE_LIMIT):
                    self._learn(await self._ecs.describe_tasks(arns[start : start + DESCRIBE_LIMIT]))
                self._interval_seconds = max(_INTERVAL_SECONDS, self._interval_seconds / 2)
            except EcsError:
                self._interval_seconds = min(self._interval_seconds * 2, _LONGEST_INTERVAL_SECONDS)

    def _learn(self, answer: Mapping[str, Any]) -> None:
        for task in answer.get("tasks", []):
            followed = self._followed.get(task["taskArn"])
            if followed is None or followed.stopped.done():
                continue
            followed.missing = 0
            followed.seen(task)
            if is_stopped(task):
                followed.stopped.set_result(task)
        now = asyncio.get_running_loop().time()
        for failure in answer.get("failures", []):
            followed = self._followed.get(failure.get("arn", ""))
            if followed is None or failure.get("reason") != "MISSING" or followed.stopped.done():
                continue
            followed.missing += 1
            if followed.missing >= _MISSING_POLLS and now - followed.since >= _MISSING_SECONDS:
                followed.stopped.set_result(None)
