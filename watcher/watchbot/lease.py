"""Leases: the visibility timeouts we hold, and the keeper that extends them while their jobs run."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from watchbot.bug import contained, report_bug
from watchbot.message import Message

WALL_SECONDS = 43_200 - 10
"""SQS ends a receive after 12 hours whatever we say; the 10 seconds are for the difference between two clocks.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

_RETRY_SECONDS = 1.0
_JITTER = 0.1
_ROUNDING_SECONDS = 0.001
"""Far less than a tick: times on the border of one belong to the later."""


class LeaseLostError(Exception):
    """SQS says that the receipt handle no longer holds the message."""


class Returning:
    """A return that SQS was asked for and may have carried out, although it has not answered yet.

    ``received_again`` is set when the message has come back meanwhile, ``over`` when the lease was let go.
    """

    __slots__ = ("over", "received_again")

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.received_again = asyncio.Event()


class Lease:
    """One held message; its receipt handle can be replaced when the same message is received again.

    While ``returning`` it cannot: a receive that comes then is another one, with a lease of its own, which is worked on
    ``after`` this one was let go.
    """

    __slots__ = ("after", "expires_at", "heartbeat", "lost", "message", "on_lost", "released", "returning", "turn")

    def __init__(self, message: Message, visibility_seconds: float) -> None:
        self.message = message
        self.expires_at = message.received_at + visibility_seconds
        self.lost = False
        self.released = False
        self.returning: Returning | None = None
        self.after: Returning | None = None
        self.turn: int | None = None
        self.heartbeat: asyncio.Task[None] | None = None
        self.on_lost: Callable[[], None] | None = None

    @property
    def receipt_handle(self) -> str:
        """The newest handle; an older one can no longer delete the message."""
        return self.message.receipt_handle

    def renew(self, message: Message, visibility_seconds: float) -> None:
        """Take the handle of a newer receive of the same message; a lost lease is held again by it."""
        self.message = message
        self.expires_at = message.received_at + visibility_seconds
        self.lost = False

    def is_held(self, now: float) -> bool:
        """Whether the message is still ours; a lease may have run out with nobody awake to notice."""
        return not self.lost and now < self.expires_at

    def lose(self) -> None:
        """Mark the lease as lost and tell whoever waits for that, once."""
        if self.lost or self.released:
            return
        self.lost = True
        if self.on_lost is not None:
            self.on_lost()

    def clamp(self, delay_seconds: float, now: float) -> int:
        """Give the longest visibility timeout up to ``delay_seconds`` that SQS accepts for this receive now."""
        return max(0, int(min(delay_seconds, WALL_SECONDS - (now - self.message.received_at))))


class Extend(Protocol):
    """Sets the visibility timeout of several leases and says for each what came of it."""

    def __call__(self, leases: list[tuple[Lease, int]], /) -> Awaitable[list[Exception | None]]:
        """Return None for each lease that was extended, a :class:`LeaseLostError` for each that is gone."""


class LeaseKeeper:
    """Extends every held lease each third of the visibility timeout, with jitter, in batches.

    Leases wait in turns of a short tick each, so that taking one up and letting it go costs next to nothing and
    those due at about the same time share a call. A heartbeat that fails is tried again every second until the
    lease has run out; only then, or when SQS says so, is the lease lost. At the 12-hour wall a lease is not extended
    any further and is lost when it runs out.
    """

    def __init__(self, extend: Extend, visibility_seconds: int, chance: random.Random) -> None:
        self._extend = extend
        self._visibility_seconds = visibility_seconds
        self._chance = chance
        self._tick_seconds = min(1.0, visibility_seconds / 12)
        self._turns: dict[int, dict[Lease, None]] = {}
        self._wake = asyncio.Event()
        self._calls: set[asyncio.Task[None]] = set()

    def hold(self, message: Message) -> Lease:
        """Start to extend the lease of a message just received."""
        lease = Lease(message, self._visibility_seconds)
        self._schedule(lease, message.received_at + self._interval())
        return lease

    def release(self, lease: Lease) -> None:
        """Stop extending: the message has been settled or given up."""
        lease.released = True
        self._unschedule(lease)

    async def quiet(self, lease: Lease) -> None:
        """Extend a lease no more that is about to be returned, and wait for a heartbeat that is under way.

        Carried out after the return, a heartbeat would undo its back-off.
        """
        await self.extended(lease)
        self._unschedule(lease)

    async def extended(self, lease: Lease) -> None:
        """Wait for the answer to a heartbeat that is under way."""
        while lease.heartbeat is not None and not lease.heartbeat.done():
            await asyncio.wait([lease.heartbeat])

    def replace(self, lease: Lease, message: Message) -> None:
        """Carry a lease on with the handle of a newer receive."""
        lease.renew(message, self._visibility_seconds)
        self._schedule(lease, message.received_at + self._interval())

    async def run(self) -> None:
        """Extend what is due, for ever; cancelled last of all when the watcher stops."""
        while True:
            self._wake.clear()
            now = asyncio.get_running_loop().time()
            self._heartbeat(self._take_due(now))
            pause = min(self._turns) * self._tick_seconds - now if self._turns else None
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass

    def _interval(self) -> float:
        return self._visibility_seconds / 3 * (1 - _JITTER * self._chance.random())

    def _schedule(self, lease: Lease, at: float) -> None:
        self._unschedule(lease)
        lease.turn = math.floor((at + _ROUNDING_SECONDS) / self._tick_seconds)
        if not self._turns or lease.turn < min(self._turns):
            self._wake.set()
        self._turns.setdefault(lease.turn, {})[lease] = None

    def _unschedule(self, lease: Lease) -> None:
        if lease.turn is None:
            return
        turn = self._turns[lease.turn]
        del turn[lease]
        if not turn:
            del self._turns[lease.turn]
        lease.turn = None

    def _take_due(self, now: float) -> list[Lease]:
        due: list[Lease] = []
        for turn in sorted(turn for turn in self._turns if turn * self._tick_seconds <= now):
            leases = self._turns.pop(turn)
            for lease in leases:
                lease.turn = None
            due += leases
        return due

    def _heartbeat(self, leases: list[Lease]) -> None:
        """Extend these leases; the loop goes on at once, so that one slow call holds up no other lease."""
        now = asyncio.get_running_loop().time()
        wanted = []
        for lease in leases:
            # Whatever one lease's loss leads to, the others are extended.
            with contained():
                seconds = lease.clamp(self._visibility_seconds, now)
                if now + self._tick_seconds > lease.expires_at:
                    # It will have run out before the next tick, and SQS began to count before its answer came here.
                    lease.lose()
                elif seconds <= max(0, lease.expires_at - now):
                    self._schedule(lease, lease.expires_at)
                else:
                    wanted.append((lease, seconds))
        batches = [wanted[start : start + 10] for start in range(0, len(wanted), 10)]
        for batch in batches:
            task = asyncio.create_task(self._extend_batch(batch, now))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)
            for lease, _ in batch:
                lease.heartbeat = task

    async def _extend_batch(self, batch: list[tuple[Lease, int]], now: float) -> None:
        handles = [lease.receipt_handle for lease, _ in batch]
        errors: list[Exception | None]
        try:
            errors = await self._extend(batch)
        except Exception as failure:  # noqa: BLE001 - tried again as after any other failure
            report_bug(failure)
            errors = [failure] * len(batch)
        for (lease, seconds), handle, error in zip(batch, handles, errors, strict=True):
            with contained():
                self._after(lease, handle, now + seconds, error)

    def _after(self, lease: Lease, handle: str, until: float, error: Exception | None) -> None:
        now = asyncio.get_running_loop().time()
        if lease.released or lease.receipt_handle != handle:
            return
        if isinstance(error, LeaseLostError):
            lease.lose()
        elif error is not None:
            self._schedule(lease, now + min(_RETRY_SECONDS, self._interval()))
        else:
            lease.expires_at = until
            self._schedule(lease, now + self._interval())
