"""When a task has had its time, to start or to run, and is stopped."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from watchbot.contract import Outcome
from watchbot.ecs import Ecs, EcsError
from watchbot.stopped_task import STOP_REASON_PREFIX, Task

_AGAIN_SECONDS = 60.0


class TaskDeadline:
    """Stops tasks that are over the start timeout or the job timeout; 0 means that there is none.

    Both count from the task's own times, so that a task adopted from another watcher gets no second helping. ECS keeps
    the reason of a stop, where another watcher reads the outcome back.
    """

    def __init__(
        self, ecs: Ecs, start_timeout_seconds: float, job_timeout_seconds: float, now: Callable[[], float]
    ) -> None:
        self._ecs = ecs
        self._start_timeout_seconds = start_timeout_seconds
        self._job_timeout_seconds = job_timeout_seconds
        self._now = now
        self._asked: dict[str, float] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    def check(self, task: Task) -> None:
        """Look at a description of a task, and have it stopped if it is overdue."""
        arn = task["taskArn"]
        if task.get("desiredStatus") == "STOPPED":
            self._asked.pop(arn, None)
            return
        outcome = self._overdue(task)
        if outcome is not None and self._now() - self._asked.get(arn, -_AGAIN_SECONDS) >= _AGAIN_SECONDS:
            self._asked[arn] = self._now()
            self.stop(arn, outcome)

    def stop(self, arn: str, outcome: Outcome) -> None:
        """Have a task stopped, in the background; asked again after a minute while it goes on."""
        task = asyncio.create_task(self._stop(arn, outcome))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _overdue(self, task: Task) -> Outcome | None:
        started_at, created_at = task.get("startedAt"), task.get("createdAt")
        if started_at is not None:
            is_over = self._job_timeout_seconds and self._now() - started_at.timestamp() >= self._job_timeout_seconds
            return Outcome.TIMED_OUT if is_over else None
        if created_at is not None:
            is_over = (
                self._start_timeout_seconds and self._now() - created_at.timestamp() >= self._start_timeout_seconds
            )
            return Outcome.DID_NOT_START if is_over else None
        return None

    async def _stop(self, arn: str, outcome: Outcome) -> None:
        with contextlib.suppress(EcsError):
            await self._ecs.stop_task(arn, f"{STOP_REASON_PREFIX}{outcome.value}")
