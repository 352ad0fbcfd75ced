"""Trouble with starting workers is never the message's fault: the start is tried again under the same lease."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Literal, TypeGuard, TypeVar

from watchbot.contract import Outcome
from watchbot.job import Job
from watchbot.message import Message
from watchbot.notice import Observer, Paused, Resumed, StartFailed
from watchbot.result import Result
from watchbot.runner import Runner
from watchbot.wait import passed

_T = TypeVar("_T")

_PAUSE_FROM_SECONDS = 5.0
_PAUSE_TO_SECONDS = 300.0
_GIVE_UP_SECONDS = 3600.0
_PAUSING_FAILURES = 3


class StartRetry:
    """A runner around another one that tries again what did not start, from 5 seconds to 5 minutes apart.

    Three starts in a row that failed for different messages stop the receiving: then the only slots offered are
    those of the messages already here, which go on probing, one start at a time. The first worker that starts ends
    that. After an hour a message goes back to the queue with its normal back-off.
    """

    def __init__(self, runner: Runner, *, observe: Observer, chance: random.Random) -> None:
        self.outlives_watcher = runner.outlives_watcher
        self._runner = runner
        self._observe = observe
        self._capacity_changed: Callable[[], None] = lambda: None
        self._chance = chance
        self._failing: dict[str, None] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        self._probe = asyncio.Lock()
        self._draining = False

    def on_capacity_change(self, capacity_changed: Callable[[], None]) -> None:
        """Have this called whenever :attr:`capacity` has changed."""
        self._capacity_changed = capacity_changed

    @property
    def capacity(self) -> int:
        """The runner's own, but one while nothing starts: enough for the probe when no message waits here."""
        return min(1, self._runner.capacity) if self._paused else self._runner.capacity

    @property
    def _paused(self) -> bool:
        return len(self._failing) >= _PAUSING_FAILURES

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        """Run the job, however often its start has to be tried within the hour."""
        return await self._until_known(job.message, lambda: self._attempt(job, started, held))

    async def _until_known(self, message: Message, attempt: Callable[[], Awaitable[_T]]) -> _T | Result:
        """Try until the answer is another than that it did not start."""
        give_up = self._waiting[message.message_id] = asyncio.Event()
        first_at = asyncio.get_running_loop().time()
        pause = _PAUSE_FROM_SECONDS
        try:
            while not (self._draining or give_up.is_set()):
                answer = await attempt()
                waited = asyncio.get_running_loop().time() - first_at
                if not _did_not_start(answer) or waited >= _GIVE_UP_SECONDS:
                    return answer
                jittered = pause * (1 - 0.2 * self._chance.random())
                self._observe(StartFailed(message, answer.reason or "unknown", jittered))
                await passed(jittered, unless=give_up)
                pause = min(pause * 2, _PAUSE_TO_SECONDS)
        finally:
            del self._waiting[message.message_id]
        return _given_up()

    async def _attempt(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        probing = self._paused
        if probing:
            await self._probe.acquire()
        if self._draining or self._waiting[job.message.message_id].is_set():
            # It was given up while others probed.
            if probing:
                self._probe.release()
            return _given_up()

        def begun() -> None:
            nonlocal probing
            if probing:
                self._probe.release()
            probing = False
            self._note_start()
            started()

        try:
            result = await self._runner.run(job, begun, held)
        finally:
            if probing:
                self._probe.release()
        if result.outcome is Outcome.DID_NOT_START:
            self._note_failure(job.message.message_id, result.reason or "unknown")
        return result

    def _note_failure(self, message_id: str, reason: str) -> None:
        was_paused = self._paused
        self._failing[message_id] = None
        if not was_paused and self._paused:
            self._observe(Paused(reason))
            self._capacity_changed()

    def _note_start(self) -> None:
        was_paused = self._paused
        self._failing.clear()
        if was_paused:
            self._observe(Resumed())
            self._capacity_changed()

    def abandon(self, message_id: str) -> None:
        """Stop trying, and stop what runs."""
        if message_id in self._waiting:
            self._waiting[message_id].set()
        self._runner.abandon(message_id)

    async def drain(self, deadline: float) -> None:
        """Give up what has not started and drain the runner."""
        self._draining = True
        for give_up in self._waiting.values():
            give_up.set()
        await self._runner.drain(deadline)

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        """Ask the runner, again while it cannot tell: a message is not to run twice because nobody could look."""
        return await self._until_known(message, lambda: self._runner.recover(message))


def _given_up() -> Result:
    return Result(Outcome.INTERRUPTED, reason="given up before a worker could start")


def _did_not_start(answer: object) -> TypeGuard[Result]:
    return isinstance(answer, Result) and answer.outcome is Outcome.DID_NOT_START
