"""The engine: one coroutine for each message, which reads receive → open → run → settle from top to bottom."""

from __future__ import annotations

import asyncio
import functools
import math
import random
from collections.abc import Coroutine
from typing import Any

from watchbot.contract import Outcome
from watchbot.fifo_gate import FifoGate
from watchbot.intake import Intake, QueueUnreachableError
from watchbot.job import Job, NoJob
from watchbot.lease import Lease, LeaseKeeper
from watchbot.message import Message
from watchbot.notice import (
    Bug,
    Busy,
    Draining,
    HandedBack,
    Idle,
    JobStarted,
    LeaseLost,
    Observer,
    Received,
    ended,
)
from watchbot.old_leases import OldLeases
from watchbot.opener import Opener
from watchbot.result import Result
from watchbot.runner import Runner
from watchbot.settlement import Delete, LetGo, Policy, Return, Settlement, removes
from watchbot.slots import Slots
from watchbot.stop import Stop
from watchbot.work_queue import WorkQueue

_FIRST = asyncio.FIRST_COMPLETED

_UNSETTLED_LIMIT = 1000
"""Jobs done whose messages SQS has not taken back yet: with so many of them, nothing more is received."""

_REMEMBERED = 5000
"""Finished messages whose ids are kept, so that one delivered twice is not worked on twice."""

_SETTLE_SECONDS = 5.0
"""After the last worker has ended: how long a drain waits for SQS to take what is still to be said."""

_LATE_SECONDS = 10.0
"""After the drain's deadline: how long an open poll is still waited for."""


class Watcher:
    """Receives messages while there are slots, has a worker run for each, and tells the queue what became of it.

    A message is in here exactly once: received again while its job runs, it only brings a newer receipt handle, and
    received again after that it is only deleted again.
    """

    def __init__(
        self,
        queue: WorkQueue,
        opener: Opener,
        runner: Runner,
        policy: Policy,
        *,
        fifo: bool,
        visibility_timeout_seconds: int,
        drain_seconds: float,
        max_polls: int,
        observe: Observer,
        chance: random.Random,
    ) -> None:
        self._queue = queue
        self._opener = opener
        self._runner = runner
        self._policy = policy
        self._fifo = fifo
        self._drain_seconds = drain_seconds
        self._observe = observe
        self._chance = chance
        self._keeper = LeaseKeeper(queue.extend, visibility_timeout_seconds, chance)
        self._gate = FifoGate(fifo=fifo)
        self._slots = Slots(self._offered)
        self._old = OldLeases(self._slots.recount)
        self._intake = Intake(queue, self._slots, self._admit, max_polls=max_polls, chance=chance, observe=observe)
        self._held: dict[str, Lease] = {}
        self._removed: dict[str, None] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._running = 0
        self._draining = False

    async def run(self, stop: Stop) -> int:
        """Work until told to stop, then drain; 0 after a clean drain, 1 when the queue could not be reached."""
        keeping = asyncio.create_task(self._keeper.run())
        intake = asyncio.create_task(self._intake.run())
        stopping = asyncio.create_task(stop.requested.wait())
        try:
            await asyncio.wait({intake, stopping}, return_when=_FIRST)
            failure = intake.exception() if intake.done() else None
            if failure is not None:
                stop.request(str(failure))
            await self._drain(stop, intake)
        finally:
            # Heartbeats stop last: until here every message that is not settled is still ours.
            stopping.cancel()
            keeping.cancel()
        if failure is not None and not isinstance(failure, QueueUnreachableError):
            raise failure
        return 0 if failure is None else 1

    def capacity_changed(self) -> None:
        """Hear from the runner that it offers another number of slots."""
        self._slots.recount()

    def _offered(self) -> int:
        capacity = self._runner.capacity if len(self._held) - self._running < _UNSETTLED_LIMIT else 0
        return capacity + len(self._old) if capacity else 0

    def _admit(self, messages: list[Message], slots: int) -> None:
        """Start what a poll brought; the slots that were kept for it and are not needed go back."""
        started = 0
        for message in messages:
            held = self._held.get(message.message_id)
            self._observe(Received(message, again=held is not None or message.message_id in self._removed))
            if held is not None:
                self._keeper.replace(held, message)
                self._old.renewed(held)
                continue
            lease = self._keeper.hold(message)
            lease.on_lost = functools.partial(self._observe_lost, lease)
            self._held[message.message_id] = lease
            if message.message_id in self._removed:
                self._spawn(self._remove_again(lease))
            elif self._draining:
                self._spawn(self._hand_back([lease], "the watcher is stopping"))
            elif self._gate.enter(lease):
                started += 1
                self._spawn(self._handle(lease))
        self._slots.give_back(slots - started)

    async def _handle(self, lease: Lease) -> None:
        """Take one message from its slot to its settlement."""
        self._begin()
        try:
            result = await self._result(lease)
        except Exception as error:  # noqa: BLE001 - one message must never end the work on all the others
            self._observe(Bug(error, lease.message.message_id))
            result = Result(Outcome.DID_NOT_START, reason=f"the watcher failed: {error!r}")
        self._end()
        if not self._fifo:
            self._slots.give_back()
        settlement = await self._settle(lease, self._decide(lease, result))
        if removes(settlement):
            self._remember(lease.message.message_id)
        self._let_go(lease)
        self._observe(ended(lease.message, result, settlement))
        if self._fifo:
            self._hand_over(lease, settlement)

    async def _result(self, lease: Lease) -> Result | NoJob:
        message = lease.message
        found = await self._runner.recover(message) if message.receive_count > 1 else None
        if isinstance(found, Result):
            return found
        job = await self._opener.open(message)
        return await self._run(job, lease) if isinstance(job, Job) else job

    async def _run(self, job: Job, lease: Lease) -> Result:
        if lease.lost:
            return Result(Outcome.INTERRUPTED, reason="the lease was lost before the worker started")
        started, now = asyncio.Event(), asyncio.get_running_loop().time
        asked_at = now()
        lease.on_lost = lambda: self._lost(lease, started=started.is_set())
        if self._runner.outlives_watcher:
            self._old.watch(lease)

        def begun() -> None:
            started.set()
            self._observe(JobStarted(job.message, now() - asked_at, job.subject, job.text))

        try:
            return await self._runner.run(job, begun, lambda: lease.is_held(now()))
        finally:
            self._old.forget(lease)
            lease.on_lost = functools.partial(self._observe_lost, lease)

    async def _settle(self, lease: Lease, settlement: Settlement) -> Settlement:
        try:
            if isinstance(settlement, Return):
                await self._keeper.quiet(lease)
            return await self._queue.settle(lease, settlement)
        except Exception as error:  # noqa: BLE001 - the lease must not be held for ever, nor the rest of a group
            self._observe(Bug(error, lease.message.message_id))
            return LetGo()

    def _observe_lost(self, lease: Lease) -> None:
        self._observe(LeaseLost(lease.message))

    def _lost(self, lease: Lease, *, started: bool) -> None:
        """Another watcher may work on the message by now.

        On a FIFO queue two workers at once would break the order, and a worker not yet started would only be a
        repeat: both are given up. On a standard queue a worker that has begun may as well finish, but one that outlives
        us is left to the other watcher, unless only its lease's age has ended it: then there may be no other.
        """
        self._observe_lost(lease)
        left_to_other = self._runner.outlives_watcher and lease not in self._old
        if self._fifo or left_to_other or not started:
            self._runner.abandon(lease.message.message_id)

    def _decide(self, lease: Lease, result: Result | NoJob) -> Settlement:
        if isinstance(result, NoJob):
            return Delete()
        settlement = self._policy.decide(result, lease.message.receive_count, self._chance)
        if lease.lost and not removes(settlement):
            return LetGo()
        if lease.lost and self._fifo:
            return LetGo()
        return settlement

    def _hand_over(self, lease: Lease, settlement: Settlement) -> None:
        """Give the slot to the next of the group, or free it and send the rest of the group back."""
        following, rest = self._gate.leave(lease, removed=removes(settlement))
        if rest:
            self._spawn(self._hand_back(rest, "an earlier message of its group is to be tried again"))
        if following is None:
            self._slots.give_back()
        elif self._draining:
            _, rest = self._gate.leave(following, removed=False)
            self._slots.give_back()
            self._spawn(self._hand_back([following, *rest], "the watcher is stopping"))
        else:
            self._spawn(self._handle(following))

    async def _hand_back(self, leases: list[Lease], reason: str) -> None:
        for lease in leases:
            if not lease.lost:
                await self._settle(lease, Return(0))
            self._let_go(lease)
            self._observe(HandedBack(lease.message, reason))

    async def _remove_again(self, lease: Lease) -> None:
        """Delete a message that was finished here: SQS may deliver one once more, or had taken it back before."""
        await self._settle(lease, Delete())
        self._let_go(lease)

    def _remember(self, message_id: str) -> None:
        self._removed[message_id] = None
        if len(self._removed) > _REMEMBERED:
            del self._removed[next(iter(self._removed))]

    def _let_go(self, lease: Lease) -> None:
        self._keeper.release(lease)
        was_full = self._offered() == 0
        del self._held[lease.message.message_id]
        if was_full:
            self._slots.recount()

    async def _drain(self, stop: Stop, intake: asyncio.Task[None]) -> None:
        """Receive no more, let the workers finish, in time if that is pressed for, and have everything settled."""
        self._draining = True
        self._observe(Draining(stop.reason))
        intake.cancel()
        now = asyncio.get_running_loop().time
        pressed = asyncio.create_task(stop.pressed.wait())
        hurried = asyncio.create_task(stop.hurried.wait())
        calm = asyncio.create_task(self._calm())
        await asyncio.wait([pressed, calm], return_when=_FIRST)
        deadline = now() + (0 if self._runner.outlives_watcher else self._drain_seconds)
        pressing = asyncio.create_task(self._runner.drain(deadline))
        await asyncio.wait([hurried, calm], timeout=deadline + _LATE_SECONDS - now(), return_when=_FIRST)
        await self._runner.drain(now())
        for task in (pressed, hurried, calm, pressing):
            task.cancel()
        self._queue.flush()
        settled_by = now() + _SETTLE_SECONDS
        while self._work and now() < settled_by:
            await asyncio.wait(self._work, timeout=settled_by - now())

    async def _calm(self) -> None:
        """Wait for the workers, however long they take, and for the polls that are still open."""
        await self._runner.drain(math.inf)
        await self._intake.finish()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _begin(self) -> None:
        self._running += 1
        if self._running == 1:
            self._observe(Busy())

    def _end(self) -> None:
        self._running -= 1
        if self._running == 0:
            self._observe(Idle())
