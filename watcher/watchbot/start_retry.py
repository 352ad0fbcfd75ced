"""Trouble with starting workers: the start is tried again, under the same lease or, if that is the message's, later."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable
from typing import Literal, TypeGuard, TypeVar

from watchbot.contract import Outcome
from watchbot.job import Job
from watchbot.local_damage import GiveUp, LocalDamage
from watchbot.message import Message
from watchbot.notice import Observer, StartFailed, StartOverdue
from watchbot.result import Result, StartFault
from watchbot.runner import Runner
from watchbot.start_pause import StartPause
from watchbot.start_tries import StartTries
from watchbot.wait import passed

_T = TypeVar("_T")

_PAUSE_FROM_SECONDS = 5.0
_PAUSE_TO_SECONDS = 300.0
_GIVE_UP_SECONDS = 3600.0

OVERDUE_AFTER_SECONDS = 300.0
"""After the start timeout, which stops a task that does not begin."""

_LOOK_SECONDS = 60.0


@dataclasses.dataclass(slots=True)
class _Start:
    """A message whose worker is to start, or has; ``tried_at`` is None between two tries."""

    message: Message
    tried_at: float | None
    given_up: asyncio.Event
    is_known: bool = False
    is_overdue: bool = False


class StartRetry:
    """A runner around another one that tries again what did not start.

    A fault of the service or of this container keeps the lease: tries are 5 seconds to 5 minutes apart, and three
    messages in a row that fail pause the receiving (:class:`StartPause`). After an hour a message goes back to the
    queue with its normal back-off. A message that has the fault itself goes back at once (:class:`StartTries`): it
    holds no slot and pauses nothing. Where either may have it, the failure counts for a pause, and in a pause the
    message keeps its lease as long as a slot is left for the next probe.

    A try that has no answer after ``overdue_seconds`` is reported, and goes on. ``give_up`` is called once this
    container can start nothing any more (:class:`LocalDamage`).
    """

    def __init__(
        self,
        runner: Runner,
        *,
        max_receive_count: int,
        can_dead_letter: bool,
        observe: Observer,
        chance: random.Random,
        give_up: GiveUp | None = None,
        overdue_seconds: float,
    ) -> None:
        self.outlives_watcher = runner.outlives_watcher
        self._runner = runner
        self._observe = observe
        self._chance = chance
        self._overdue_seconds = overdue_seconds
        self._starts: dict[str, _Start] = {}
        self._pause = StartPause(observe)
        self._tries = StartTries(max_receive_count=max_receive_count, can_dead_letter=can_dead_letter)
        self._damage = None if give_up is None else LocalDamage(give_up)
        self._look_out: asyncio.TimerHandle | None = None
        self._probe = asyncio.Lock()
        self._draining = False

    def on_capacity_change(self, capacity_changed: Callable[[], None]) -> None:
        """Call this from now on whenever :attr:`capacity` has changed."""
        self._pause.on_change(capacity_changed)

    @property
    def capacity(self) -> int:
        """The runner's own, but in a pause only the slots of the messages here and that of the next probe."""
        if not self._pause.is_on:
            return self._runner.capacity
        probing = any(not start.is_known for start in self._starts.values())
        return self._pause.offered(self._runner.capacity, len(self._starts), probing=probing)

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        """Run the job, however often its start has to be tried within the hour."""
        return await self._until_known(job.message, lambda start: self._attempt(job, start, started, held))

    async def _until_known(self, message: Message, attempt: Callable[[_Start], Awaitable[_T]]) -> _T | Result:
        """Try until the answer is another than that it did not start, or until that is the message's own fault."""
        now = asyncio.get_running_loop().time
        first_at = now()
        start = self._starts[message.message_id] = _Start(message, first_at, asyncio.Event())
        if self._look_out is None:
            self._look_again()
        pause = _PAUSE_FROM_SECONDS
        try:
            while not (self._draining or start.given_up.is_set()):
                answer = await attempt(start)
                if not _did_not_start(answer):
                    return answer
                start.is_known, start.is_overdue = True, False
                if self._goes_back(answer.fault):
                    return self._tries.after(message, answer, paused=self._pause.is_on)
                if now() - first_at >= _GIVE_UP_SECONDS:
                    return answer
                jittered = pause * (1 - 0.2 * self._chance.random())
                self._observe(StartFailed(message, answer.reason or "unknown", jittered))
                start.tried_at = None
                await passed(jittered, unless=start.given_up)
                start.tried_at = now()
                pause = min(pause * 2, _PAUSE_TO_SECONDS)
        finally:
            del self._starts[message.message_id]
        return _given_up()

    def _goes_back(self, fault: StartFault) -> bool:
        """Return whether a message gives its slot up; where either has the fault, in a pause if no other is left."""
        if fault is StartFault.EITHER:
            return not self._pause.is_on or len(self._starts) >= self._runner.capacity
        return fault is StartFault.MESSAGE

    async def _attempt(self, job: Job, start: _Start, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        probing = self._pause.is_on
        if probing:
            start.tried_at = None
            await self._probe.acquire()
            start.tried_at = asyncio.get_running_loop().time()
        if self._draining or start.given_up.is_set():
            # It was given up while others probed.
            if probing:
                self._probe.release()
            return _given_up()

        def begun() -> None:
            nonlocal probing
            if probing:
                self._probe.release()
            probing = False
            start.is_known, start.tried_at = True, None
            self._note_start(job.message.message_id)
            started()

        try:
            result = await self._runner.run(job, begun, held)
        finally:
            if probing:
                self._probe.release()
        if result.outcome is Outcome.DID_NOT_START:
            self._note_failure(start, result)
        return result

    def _note_failure(self, start: _Start, result: Result) -> None:
        reason = result.reason or "unknown"
        if result.fault is not StartFault.MESSAGE:
            self._pause.failed(start.message.message_id, reason, is_probe=not start.is_known)
        if result.fault is StartFault.LOCAL and self._damage is not None:
            self._damage.failed(reason)

    def _note_start(self, message_id: str) -> None:
        self._tries.started(message_id)
        if self._damage is not None:
            self._damage.started()
        self._pause.started()

    def _look_again(self) -> None:
        self._look_out = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look) if self._starts else None

    def _look(self) -> None:
        """Report the tries that have had no answer for long, each of them once."""
        now = asyncio.get_running_loop().time()
        for start in self._starts.values():
            if start.tried_at is None or start.is_overdue or now - start.tried_at < self._overdue_seconds:
                continue
            start.is_overdue = True
            self._observe(StartOverdue(start.message, now - start.tried_at))
        self._look_again()

    def abandon(self, message_id: str) -> None:
        """Stop trying, and stop what runs."""
        if message_id in self._starts:
            self._starts[message_id].given_up.set()
        self._runner.abandon(message_id)

    async def drain(self, deadline: float) -> None:
        """Give up what has not started and drain the runner."""
        self._draining = True
        for start in self._starts.values():
            start.given_up.set()
        await self._runner.drain(deadline)

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        """Look for earlier workers, again while that fails: a message must not run twice because a look-up failed."""
        return await self._until_known(message, lambda start: self._runner.recover(message))


def _given_up() -> Result:
    return Result(Outcome.INTERRUPTED, reason="given up before a worker could start")


def _did_not_start(answer: object) -> TypeGuard[Result]:
    return isinstance(answer, Result) and answer.outcome is Outcome.DID_NOT_START
