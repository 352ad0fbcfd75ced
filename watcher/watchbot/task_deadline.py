"""When a task has had its time, to start or to run, and is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Callable

from watchbot.contract import Outcome
from watchbot.ecs import Ecs, EcsError
from watchbot.stopped_task import STOP_REASON_PREFIX, Task

_AGAIN_SECONDS = 60.0


class TaskDeadline:
    """Stops tasks that are over the start timeout or the job timeout; 0 means that there is none.

    Both count from the task's own times, so that a task adopted from another watcher gets no second helping. ECS keeps
    the reason of a stop, where another watcher reads the outcome back. ``now`` is the time that ECS dates tasks in.
    """

    def __init__(
        self, ecs: Ecs, start_timeout_seconds: float, job_timeout_seconds: float, now: Callable[[], float]
    ) -> None:
        self._ecs = ecs
        self._start_timeout_seconds = start_timeout_seconds
        self._job_timeout_seconds = job_timeout_seconds
        self._now = now
        self._stopping: set[asyncio.Task[None]] = set()

    def watch(self, *, launched_here: bool) -> Callable[[Task], None]:
        """Give what looks at the descriptions of one task, and has it stopped once it is overdue."""
        created, started = _Age(self._now, young=launched_here), _Age(self._now, young=launched_here)
        loop = asyncio.get_running_loop()
        asked_at = -_AGAIN_SECONDS

        def check(task: Task) -> None:
            nonlocal asked_at
            if task.get("desiredStatus") == "STOPPED":
                return
            outcome = self._overdue(created.seconds(task.get("createdAt")), started.seconds(task.get("startedAt")))
            if outcome is not None and loop.time() - asked_at >= _AGAIN_SECONDS:
                asked_at = loop.time()
                self.stop(task["taskArn"], outcome)

        return check

    def stop(self, arn: str, outcome: Outcome) -> None:
        """Have a task stopped, in the background; asked again after a minute while it goes on."""
        task = asyncio.create_task(self._stop(arn, outcome))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    def _overdue(self, since_created: float | None, since_started: float | None) -> Outcome | None:
        if since_started is not None:
            is_over = self._job_timeout_seconds and since_started >= self._job_timeout_seconds
            return Outcome.TIMED_OUT if is_over else None
        if since_created is not None:
            is_over = self._start_timeout_seconds and since_created >= self._start_timeout_seconds
            return Outcome.DID_NOT_START if is_over else None
        return None

    async def _stop(self, arn: str, outcome: Outcome) -> None:
        with contextlib.suppress(EcsError):
            await self._ecs.stop_task(arn, f"{STOP_REASON_PREFIX}{outcome.value}")


class _Age:
    """How long ago something was that ECS has dated.

    The wall clock is read once, when the date is first seen: a jump of it later on must not stop a thousand tasks. What
    is ``young`` cannot be older than this object, however wrong the clock is.
    """

    def __init__(self, now: Callable[[], float], *, young: bool) -> None:
        self._now = now
        self._time = asyncio.get_running_loop().time
        self._made_at = self._time()
        self._young = young
        self._began_at: float | None = None

    def seconds(self, date: datetime.datetime | None) -> float | None:
        if date is None:
            return None
        if self._began_at is None:
            began_at = self._time() - max(0.0, self._now() - date.timestamp())
            self._began_at = max(began_at, self._made_at) if self._young else began_at
        return self._time() - self._began_at
