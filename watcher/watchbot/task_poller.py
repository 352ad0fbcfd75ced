"""One poller for all running tasks: DescribeTasks, a hundred at a time."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import math
from collections.abc import Callable, Mapping
from typing import Any

from watchbot.bug import report_bug
from watchbot.call_budget import POLLS_A_SECOND
from watchbot.ecs import DESCRIBE_LIMIT, EcsError
from watchbot.ecs_reads import EcsReads
from watchbot.stopped_task import Task, is_stopped

_INTERVAL_SECONDS = 2.0
_LONGEST_INTERVAL_SECONDS = 60.0

_MISSING_SECONDS = 300.0
_MISSING_POLLS = 3
"""A task may be missing from answers for a while after its launch, because ECS is eventually consistent."""


class Lost(enum.Enum):
    """Why a task is no longer followed, though nobody has seen its end."""

    FORGOTTEN = enum.auto()
    GONE = enum.auto()


@dataclasses.dataclass(slots=True)
class _Followed:
    since: float
    ended: asyncio.Future[Task | Lost]
    seen: Callable[[Task], None]
    missing: int = 0


class TaskPoller:
    """Tells for each followed task when it has stopped; nothing is called while none is followed.

    A round of calls is spread over an interval, which is longer where the round takes more calls than this watcher may
    make in it. A call that fails is made again after the interval, which doubles then, and comes back; the round goes
    on from there, so that nobody is always left out.
    """

    def __init__(self, reads: EcsReads, watchers: int = 1) -> None:
        self._reads = reads
        self._calls_per_second = POLLS_A_SECOND / watchers
        self._followed: dict[str, _Followed] = {}
        self._interval_seconds = _INTERVAL_SECONDS
        self._polling: asyncio.Task[None] | None = None

    async def stopped(self, arn: str, seen: Callable[[Task], None]) -> Task | Lost:
        """Follow a task until it has stopped, ECS no longer knows it, or it is forgotten here.

        ``seen`` is called with every description of the task on the way.
        """
        loop = asyncio.get_running_loop()
        followed = _Followed(loop.time(), loop.create_future(), seen)
        self._followed[arn] = followed
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            return await followed.ended
        finally:
            if self._followed.get(arn) is followed:
                del self._followed[arn]

    def forget(self, arn: str) -> None:
        """Stop following the task; it goes on by itself."""
        followed = self._followed.pop(arn, None)
        if followed is not None and not followed.ended.done():
            followed.ended.set_result(Lost.FORGOTTEN)

    async def _poll(self) -> None:
        now = asyncio.get_running_loop().time
        asked_at = now()
        while self._followed:
            calls = math.ceil(len(self._followed) / DESCRIBE_LIMIT)
            pause = max(self._interval_seconds / calls, 1 / self._calls_per_second)
            left = list(self._followed)
            while left:
                # From call to call, not from answer to call: a slow answer must not slow the round down.
                await asyncio.sleep(max(0, asked_at + pause - now()))
                left = [arn for arn in left if arn in self._followed]
                asked_at = now()
                if left and await self._ask(left[:DESCRIBE_LIMIT]):
                    del left[:DESCRIBE_LIMIT]

    async def _ask(self, arns: list[str]) -> bool:
        try:
            self._learn(await self._reads.describe_tasks(arns))
        except Exception as error:  # noqa: BLE001 - this one poller follows all tasks
            if not isinstance(error, EcsError):
                report_bug(error)
            self._interval_seconds = min(self._interval_seconds * 2, _LONGEST_INTERVAL_SECONDS)
            await asyncio.sleep(self._interval_seconds)
            return False
        self._interval_seconds = max(_INTERVAL_SECONDS, self._interval_seconds / 2)
        return True

    def _learn(self, answer: Mapping[str, Any]) -> None:
        for task in answer.get("tasks") or ():
            followed = self._followed.get(task.get("taskArn", ""))
            if followed is None or followed.ended.done():
                continue
            followed.missing = 0
            try:
                followed.seen(task)
            except Exception as error:  # noqa: BLE001 - one job's trouble must not end the following of the others
                followed.ended.set_exception(error)
                continue
            if is_stopped(task):
                followed.ended.set_result(task)
        now = asyncio.get_running_loop().time()
        for failure in answer.get("failures") or ():
            followed = self._followed.get(failure.get("arn", ""))
            if followed is None or failure.get("reason") != "MISSING" or followed.ended.done():
                continue
            followed.missing += 1
            if followed.missing >= _MISSING_POLLS and now - followed.since >= _MISSING_SECONDS:
                followed.ended.set_result(Lost.GONE)
