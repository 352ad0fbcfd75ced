"""A watcher put together from the simulated parts."""

from __future__ import annotations

import asyncio
import random

from tests.simulation.sqs import SimulatedSqs
from tests.simulation.task_runner import ObservedTaskRunner
from watchbot.backoff import Backoff
from watchbot.notice import Notice, Observer, Observers, QueueTrouble
from watchbot.opener import EnvelopeOpener
from watchbot.runner import Runner
from watchbot.settlement import Policy
from watchbot.start_retry import StartRetry
from watchbot.stop import Stop
from watchbot.watcher import Watcher
from watchbot.work_queue import Whole, WorkQueue


class Watch:
    """A running watcher, everything it has told its observers, and the means to stop it."""

    def __init__(
        self,
        sqs: SimulatedSqs,
        runner: Runner,
        *,
        max_receive_count: int = 10,
        backoff: Backoff = Backoff(),  # noqa: B008 - a frozen value
        drain_seconds: float = 105,
        max_polls: int = 1,
        dead_letter_queue: bool = True,
        payload_bucket: str | None = None,
        memory_bytes: int = 1 << 30,
        whole: Whole | None = None,
    ) -> None:
        self.notices: list[Notice] = []
        self._times: list[float] = []
        self.listeners: list[Observer] = [self.notices.append]
        self.stop = Stop()
        chance = random.Random(1)
        observe = Observers([self._tell])
        retry = StartRetry(
            runner,
            max_receive_count=max_receive_count,
            can_dead_letter=dead_letter_queue,
            observe=observe,
            chance=chance,
            give_up=self.stop.give_up,
            overdue_seconds=900,
        )
        self.watcher = Watcher(
            WorkQueue(
                sqs,
                fifo=sqs.fifo,
                dead_letter_queue_url="dead" if dead_letter_queue else None,
                chance=chance,
                report=lambda problem, message_id: observe(QueueTrouble(problem, message_id)),
                **({} if whole is None else {"whole": whole}),
            ),
            EnvelopeOpener(payload_bucket),
            retry,
            Policy(backoff, max_receive_count, can_dead_letter=dead_letter_queue),
            fifo=sqs.fifo,
            visibility_timeout_seconds=sqs.visibility_seconds,
            drain_seconds=drain_seconds,
            max_polls=max_polls,
            memory_bytes=memory_bytes,
            observe=observe,
            chance=chance,
        )
        retry.on_capacity_change(self.watcher.capacity_changed)
        if isinstance(runner, ObservedTaskRunner):
            runner.observers.append(self._tell)
        self._task = asyncio.create_task(self.watcher.run(self.stop))

    def _tell(self, notice: Notice) -> None:
        self._times.append(asyncio.get_running_loop().time())
        for listener in self.listeners:
            listener(notice)

    def told(self, kind: type[Notice]) -> list[Notice]:
        """The notices of this kind, in order."""
        return [notice for notice in self.notices if isinstance(notice, kind)]

    def at(self, kind: type[Notice]) -> list[float]:
        """The times of the notices of this kind."""
        return [at for notice, at in zip(self.notices, self._times, strict=True) if isinstance(notice, kind)]

    async def after(self, seconds: float) -> None:
        """Let this much time pass."""
        await asyncio.sleep(seconds)

    async def stopped(self) -> int:
        """Ask for a stop and wait for the exit code."""
        self.stop.request("test")
        return await self._task

    async def ended(self) -> int:
        """Wait until the watcher ends by itself."""
        return await self._task
