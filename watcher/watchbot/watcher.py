"""The engine: one coroutine for each message, which reads receive → open → run → settle from top to bottom."""

from __future__ import annotations

import asyncio
import functools
import math
import random
from collections.abc import Coroutine
from typing import Any

from watchbot.bug import kept_running
from watchbot.contract import Outcome
from watchbot.fifo_gate import FifoGate
from watchbot.intake import Intake, QueueUnreachableError
from watchbot.job import Job, NoJob
from watchbot.lease import Lease, LeaseKeeper, Returning
from watchbot.message import Message
from watchbot.message_memory import MessageMemory
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
from watchbot.settlement import Delete, Policy, Return, Settlement, removes
from watchbot.settler import Settler
from watchbot.slots import Slots
from watchbot.stop import Stop
from watchbot.work_queue import WorkQueue

_FIRST = asyncio.FIRST_COMPLETED

_UNSETTLED_LIMIT = 1000
"""Jobs done whose messages SQS has not taken back yet: with so many of them, nothing more is received."""

_AFTER_BUG_SECONDS = 60

_SETTLE_SECONDS = 5.0
"""After the last worker has ended: how long a drain waits for SQS to take what is still to be said."""

_LATE_SECONDS = 10.0
"""After the drain's deadline: how long an open poll is still waited for."""


class Watcher:
    """Receives messages while there are slots, has a worker run for each, and tells the queue what became of it.

    A message has one job here at a time. Received again while its job runs or its delete is on its way, it only brings
    a newer receipt handle. Received again while it is being returned, it is a message like any other. Received again
    after its job has finished, it is only deleted again.
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
        memory_bytes: int,
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
        self._memory = MessageMemory(memory_bytes, self._slots.recount)
        self._intake = Intake(
            queue, self._slots, self._memory, self._admit, max_polls=max_polls, chance=chance, observe=observe
        )
        self._settler = Settler(queue, self._keeper, self._intake.open_seconds, fifo=fifo, observe=observe)
        self._held: dict[str, Lease] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._running = 0
        self._draining = False

    async def run(self, stop: Stop) -> int:
        """Work until told to stop, then drain; 0 after a clean drain, 1 when another watcher may do better."""
        # A signal that came while the program was starting is in the loop by now: then nothing is received at all.
        await asyncio.sleep(0)
        if stop.requested.is_set():
            self._observe(Draining(stop.reason))
            return int(stop.failed)
        keeping = asyncio.create_task(kept_running(self._keeper.run))
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
        return int(stop.failed or failure is not None)

    def capacity_changed(self) -> None:
        """Hear from the runner that it offers another number of slots."""
        self._slots.recount()

    def content_stored(self, message: Message) -> None:
        """Hear from the runner that it has let go of a message's content, which newer receives have brought again."""
        lease = self._held.get(message.message_id)
        if lease is not None and message.stored is not None:
            lease.message.let_go(message.stored)
            self._memory.release(message.message_id)
            self._memory.hold(lease.message)

    def _offered(self) -> int:
        capacity = self._runner.capacity if len(self._held) - self._running < _UNSETTLED_LIMIT else 0
        return capacity + len(self._old) if capacity else 0

    def _admit(self, messages: list[Message], slots: int) -> None:
        """Start what a poll brought; the slots that were kept for it and are not needed go back."""
        started = 0
        for message in messages:
            held = self._held.get(message.message_id)
            finished = self._settler.finished(message.message_id)
            is_worked_on = held is not None and held.returning is None
            self._observe(Received(message, again=is_worked_on or finished is not None))
            if held is not None and is_worked_on:
                if held.message.stored is not None:
                    message.let_go(held.message.stored)
                self._keeper.replace(held, message)
                self._old.renewed(held)
                continue
            lease = self._hold(message, None if held is None else held.returning)
            if finished is not None:
                self._spawn(self._settle_again(lease, finished))
            elif self._draining:
                self._spawn(self._hand_back([lease], "the watcher is stopping"))
            elif self._gate.enter(lease):
                started += 1
                self._spawn(self._handle(lease))
        self._slots.give_back(slots - started)

    def _hold(self, message: Message, after: Returning | None) -> Lease:
        """Take up the lease of a receive, after the return of the one before if that was not answered yet."""
        lease = self._keeper.hold(message)
        lease.on_lost = functools.partial(self._observe_lost, lease)
        lease.after = after
        if after is not None:
            after.received_again.set()
        self._held[message.message_id] = lease
        self._memory.hold(message)
        return lease

    async def _handle(self, lease: Lease) -> None:
        """Take one message from its slot to its settlement."""
        if lease.after is not None:
            await lease.after.over.wait()
        self._begin()
        try:
            result = await self._result(lease)
        except Exception as error:  # noqa: BLE001 - one message must never end the work on all the others
            self._observe(Bug(error, lease.message.message_id))
            result = Result(Outcome.DID_NOT_START, reason=f"the watcher failed: {error!r}")
        self._end()
        if not self._fifo:
            self._slots.give_back()
        settlement = await self._settler.settle(lease, self._decide(lease, result))
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
            self._observe(JobStarted(job.message, now() - asked_at, job.subject, job.beginning))

        try:
            return await self._runner.run(job, begun, lambda: lease.is_held(now()))
        finally:
            self._old.forget(lease)
            lease.on_lost = functools.partial(self._observe_lost, lease)

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
        try:
            return self._policy.decide(result, lease.message.receive_count, self._chance)
        except Exception as error:  # noqa: BLE001 - one message must never end the work on all the others
            self._observe(Bug(error, lease.message.message_id))
            return Return(_AFTER_BUG_SECONDS)

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
        """Return messages that nothing was done about, together and in their order."""
        await asyncio.gather(*(self._hand_one_back(lease, reason) for lease in leases))

    async def _hand_one_back(self, lease: Lease, reason: str) -> None:
        await self._settler.settle(lease, Return(0))
        self._let_go(lease)
        self._observe(HandedBack(lease.message, reason))

    async def _settle_again(self, lease: Lease, finished: Settlement) -> None:
        """Settle a message that was finished here: SQS may deliver one once more, or had taken it back before."""
        await self._settler.settle(lease, finished)
        self._let_go(lease)

    def _let_go(self, lease: Lease) -> None:
        self._keeper.release(lease)
        was_full = self._offered() == 0
        if self._held[lease.message.message_id] is lease:
            del self._held[lease.message.message_id]
            self._memory.release(lease.message.message_id)
        if lease.returning is not None:
            lease.returning.over.set()
        if was_full:
            self._slots.recount()

    async def _drain(self, stop: Stop, intake: asyncio.Task[None]) -> None:
        """Receive no more, let the workers finish, in time if that is pressed for, and have everything settled."""
        self._draining = True
        self._settler.hold_up_returns()
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
        self._settler.release_returns()
        await self._runner.drain(now())
        for task in (pressed, hurried, calm, pressing):
            task.cancel()
        self._queue.flush()
        settled_by = now() + _SETTLE_SECONDS
        while self._work and now() < settled_by:
            await asyncio.wait(self._work, timeout=settled_by - now())

    async def _calm(self) -> None:
        """Wait for the workers, however long they take, and for the polls that are still open."""
        await asyncio.gather(self._runner.drain(math.inf), self._close())

    async def _close(self) -> None:
        await self._intake.finish()
        self._settler.release_returns()

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
