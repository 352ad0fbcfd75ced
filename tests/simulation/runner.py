"""A runner whose workers are lines of a script: how long each takes, and what it answers."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Literal

from watchbot.contract import Outcome
from watchbot.job import Job
from watchbot.message import Message
from watchbot.result import Result, StartFault, result_of_exit


@dataclasses.dataclass(frozen=True)
class Work:
    """What the worker of one run does: take this long, then exit so; or not start, for this reason."""

    seconds: float = 1.0
    exit_code: int = 0
    does_not_start: str | None = None
    fault: StartFault = StartFault.SERVICE


@dataclasses.dataclass(frozen=True)
class Ran:
    """One run as it happened."""

    text: str
    began_at: float
    ended_at: float
    stopped: bool = False


class _Running:
    """A worker; one that has ended can no longer be stopped, also when nobody has noticed its end yet."""

    def __init__(self, ends_at: float) -> None:
        self.stopped = asyncio.Event()
        self._ends_at = ends_at

    def stop(self) -> None:
        if asyncio.get_running_loop().time() < self._ends_at:
            self.stopped.set()


class SimulatedRunner:
    """Does what ``script`` says for each job and remembers every run."""

    def __init__(self, script: Callable[[Job], Work], *, workers: int = 1, outlives_watcher: bool = False) -> None:
        self.outlives_watcher = outlives_watcher
        self.capacity_now = workers
        self.ran: list[Ran] = []
        self.attempts = 0
        self.most_at_once = 0
        self.found: dict[str, Result | Literal["running"]] = {}
        self._script = script
        self._running: dict[str, _Running] = {}
        self._end = asyncio.Event()
        self._draining = False

    @property
    def capacity(self) -> int:
        return self.capacity_now

    @property
    def texts(self) -> list[str]:
        """What was run, in the order in which it ended."""
        return [run.text for run in self.ran]

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        assert held()
        if self._draining:
            return Result(Outcome.INTERRUPTED)
        self.attempts += 1
        work = self._script(job)
        if work.does_not_start is not None:
            return Result(Outcome.DID_NOT_START, reason=work.does_not_start, fault=work.fault)
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        running = self._running[job.message.message_id] = _Running(began_at + work.seconds)
        stop = running.stopped
        self.most_at_once = max(self.most_at_once, len(self._running))
        started()
        try:
            async with asyncio.timeout(work.seconds):
                await stop.wait()
        except TimeoutError:
            pass
        del self._running[job.message.message_id]
        self._end.set()
        self.ran.append(Ran(job.text or "", began_at, loop.time(), stop.is_set()))
        if stop.is_set():
            return Result(Outcome.INTERRUPTED, reason="stopped")
        return result_of_exit(work.exit_code, work.seconds, can_dead_letter=True)

    def abandon(self, message_id: str) -> None:
        if message_id in self._running:
            self._running[message_id].stop()

    async def drain(self, deadline: float) -> None:
        self._draining = True
        try:
            async with asyncio.timeout_at(deadline):
                await self._ended()
        except TimeoutError:
            for running in self._running.values():
                running.stop()
            await self._ended()

    async def _ended(self) -> None:
        while self._running:
            self._end.clear()
            await self._end.wait()

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        return self.found.get(message.message_id)
