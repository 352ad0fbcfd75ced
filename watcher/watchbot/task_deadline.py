"""The time that a task has, to start and to run, and its stop after that."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import math
from collections.abc import Callable

from watchbot.contract import Outcome
from watchbot.ecs import Ecs, EcsError
from watchbot.notice import Observer
from watchbot.stop_report import StopReport
from watchbot.stopped_task import STOP_REASON_PREFIX, Task

_AGAIN_SECONDS = 60.0


class TaskDeadline:
    """Stops tasks that are over the start timeout or the job timeout; 0 means that there is none.

    Both count from the task's own times, so that a task adopted from another watcher gets no second helping. ECS keeps
    the reason of a stop, where another watcher reads the outcome back. ``now`` is the time that ECS dates tasks in.
    """

    def __init__(
        self,
        ecs: Ecs,
        start_timeout_seconds: float,
        job_timeout_seconds: float,
        now: Callable[[], float],
        observe: Observer,
    ) -> None:
        self._ecs = ecs
        self._start_timeout_seconds = start_timeout_seconds
        self._job_timeout_seconds = job_timeout_seconds
        self._now = now
        self._observe = observe
        self._stopping: set[asyncio.Task[None]] = set()

    def watch(self, message_id: str, arn: str, *, launched_here: bool) -> TaskWatch:
        """Return what looks at the descriptions of one task and stops it once it is overdue."""
        created, started = _Age(self._now, young=launched_here), _Age(self._now, young=launched_here)

        def overdue(task: Task) -> Outcome | None:
            return self._overdue(created.seconds(task.get("createdAt")), started.seconds(task.get("startedAt")))

        return TaskWatch(StopReport(self._observe, message_id, arn), overdue, self._stop)

    def watch_extra(self, message_id: str, arn: str) -> TaskWatch:
        """Return what stops a task that runs beside the one of its message, and looks on until it has stopped."""
        return TaskWatch(StopReport(self._observe, message_id, arn), lambda _: Outcome.INTERRUPTED, self._stop)

    def _overdue(self, since_created: float | None, since_started: float | None) -> Outcome | None:
        if since_started is not None:
            is_over = self._job_timeout_seconds and since_started >= self._job_timeout_seconds
            return Outcome.TIMED_OUT if is_over else None
        if since_created is not None:
            is_over = self._start_timeout_seconds and since_created >= self._start_timeout_seconds
            return Outcome.DID_NOT_START if is_over else None
        return None

    def _stop(self, arn: str, outcome: Outcome) -> None:
        task = asyncio.create_task(self._ask(arn, outcome))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def _ask(self, arn: str, outcome: Outcome) -> None:
        with contextlib.suppress(EcsError):
            await self._ecs.stop_task(arn, f"{STOP_REASON_PREFIX}{outcome.value}")


class TaskWatch:
    """Looks at the descriptions of one task; a stop is asked for again each minute until ECS has taken it."""

    def __init__(
        self,
        report: StopReport,
        overdue: Callable[[Task], Outcome | None],
        stop: Callable[[str, Outcome], None],
    ) -> None:
        self._report = report
        self._overdue = overdue
        self._stop = stop
        self._asked_at = -math.inf

    def __call__(self, task: Task) -> None:
        """Look at a description."""
        if task.get("desiredStatus") == "STOPPED":
            # Whoever asked for it: a host out of touch may keep the task running.
            self._report.begin(str(task.get("stoppedReason") or "its task is to stop"))
            return
        outcome = self._overdue(task)
        now = asyncio.get_running_loop().time()
        if outcome is not None and now - self._asked_at >= _AGAIN_SECONDS:
            self._asked_at = now
            self._report.begin(f"{STOP_REASON_PREFIX}{outcome.value}")
            self._stop(task["taskArn"], outcome)

    def end(self) -> None:
        """Look no longer: the task has stopped, or is not followed here any more."""
        self._report.end()


class _Age:
    """The time since something that ECS has dated.

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
