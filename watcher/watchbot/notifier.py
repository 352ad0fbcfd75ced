"""The observer that tells people of each failed job."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from watchbot.allowance import Allowance
from watchbot.contract import Outcome
from watchbot.failure_report import Reporter, summary
from watchbot.notice import Draining, JobFinished, Notice
from watchbot.sns import Notification, Publisher, PublishError
from watchbot.tail import OutputTails
from watchbot.task_log import LogReadError, TaskLog
from watchbot.turns import Turns

AT_ONCE = 10
SECONDS_FOR_ONE = 60.0
_LOOK_SECONDS = 5.0

_MOST_UNDER_WAY = 20
_ATTEMPTS = 6
"""The pauses between them are 1, 2, 4, 8 and 16 seconds."""

_LAST_SECONDS = 3.0
_COUNT_SECONDS = 2.0
_KNOWN_PROBLEMS = 100


class Notifier:
    """Sends a notification for each failed job: ten in a row and then one a minute, the rest as a count.

    The count goes with the next notification, or by itself when none comes. A failed job is told of after its message
    is settled, beside everything else: whatever becomes of a notification changes no outcome and delays nothing. One
    that cannot be sent is counted with the rest, and the reason logged, once until one gets through.
    """

    def __init__(
        self,
        reporter: Reporter,
        publisher: Publisher,
        tails: OutputTails,
        task_log: TaskLog | None,
        turns: Turns,
        failed: Callable[[str], None],
        chance: random.Random,
    ) -> None:
        self._reporter = reporter
        self._publisher = publisher
        self._tails = tails
        self._task_log = task_log
        self._turns = turns
        self._failed = failed
        self._chance = chance
        self._allowance = Allowance(AT_ONCE, SECONDS_FOR_ONE)
        self._left_out: Counter[Outcome] = Counter()
        self._untold = 0
        self._summary: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._hurried = asyncio.Event()
        self._problems: set[str] = set()

    def __call__(self, notice: Notice) -> None:
        """Hear of the end of a job."""
        match notice:
            case JobFinished(message, result):
                lines = self._tails.take(message.message_id)
                if result.failed:
                    self._hear(notice, lines)
            case Draining():
                self._hurried.set()
            case _:
                pass

    async def run(self) -> None:
        """Tell of those left out when nothing else does, until cancelled; the last of the allowance is for a job."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            is_told = self._summary is not None and not self._summary.done()
            if self._left_out and not is_told and self._may_send(leaving=1):
                self._summary = self._spawn(self._summarise())

    async def finish(self) -> None:
        """Send what is under way, and then the count of the rest, for five seconds at most."""
        self._hurried.set()
        await self._wait(_LAST_SECONDS)
        if self._left_out:
            self._spawn(self._send(Counter(), self._count))
        await self._wait(_COUNT_SECONDS)
        if self._untold:
            self._failed(f"the watcher stops, and no notification tells of {self._untold} failed jobs")

    async def _wait(self, seconds: float) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)

    def _hear(self, finished: JobFinished, lines: Sequence[str]) -> None:
        self._untold += 1
        if self._may_send():
            self._spawn(self._tell(finished, lines))
        else:
            self._left_out[finished.result.outcome] += 1

    def _may_send(self, *, leaving: int = 0) -> bool:
        is_room = len(self._under_way) < _MOST_UNDER_WAY
        return is_room and self._allowance.take(asyncio.get_running_loop().time(), leaving=leaving)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _tell(self, finished: JobFinished, lines: Sequence[str]) -> None:
        own = Counter({finished.result.outcome: 1})
        try:
            report = await self._reporter.of(finished)
            del finished  # its message may be large, and sending take a minute
            problem = None
            if report.task is not None and self._task_log is not None:
                lines, problem = await self._read(self._task_log, report.task)
        except Exception as error:  # noqa: BLE001 - a notification never ends anything else
            self._not_sent(own, error)
        else:
            if await self._turns.mine(self._hurried):
                await self._send(own, lambda left_out: report.notification(lines, problem, left_out))
            else:
                self._left_out += own

    async def _read(self, task_log: TaskLog, task: str) -> tuple[Sequence[str], str | None]:
        try:
            return await task_log.last_lines(task, self._hurried), None
        except LogReadError as error:
            return (), str(error)

    async def _summarise(self) -> None:
        if await self._turns.mine(self._hurried):
            await self._send(Counter(), self._count)

    def _count(self, left_out: Counter[Outcome]) -> Notification | None:
        return summary(self._reporter.service, left_out) if left_out else None

    async def _send(self, own: Counter[Outcome], compose: Callable[[Counter[Outcome]], Notification | None]) -> None:
        """Send, with what was left out until then; if that cannot be, it is all left out again."""
        try:
            for attempt in range(1, _ATTEMPTS):
                try:
                    return await self._try(own, compose)
                except PublishError as error:
                    if error.refused:
                        raise
                await asyncio.sleep(2 ** (attempt - 1) * (1 - 0.2 * self._chance.random()))
            await self._try(own, compose)
        except Exception as error:  # noqa: BLE001 - a notification never ends anything else
            self._not_sent(own, error)

    async def _try(self, own: Counter[Outcome], compose: Callable[[Counter[Outcome]], Notification | None]) -> None:
        left_out, self._left_out = self._left_out, Counter()
        try:
            notification = compose(left_out)
            if notification is not None:
                await self._publisher.publish(notification)
        except Exception:
            self._left_out += left_out
            raise
        self._untold -= (left_out + own).total()
        self._problems.clear()

    def _not_sent(self, failures: Counter[Outcome], error: Exception) -> None:
        self._left_out += failures
        problem = str(error) if isinstance(error, PublishError) else f"the watcher failed: {error!r}"
        if problem not in self._problems and len(self._problems) < _KNOWN_PROBLEMS:
            self._problems.add(problem)
            self._failed(problem)
