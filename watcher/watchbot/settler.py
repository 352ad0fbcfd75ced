"""Carries out what was decided about messages, and remembers which of them are finished."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from watchbot.lease import Lease, LeaseKeeper
from watchbot.notice import Bug, LeaseLost, Observer
from watchbot.settlement import DeadLetter, Delete, LetGo, Return, Settlement, removes
from watchbot.work_queue import WorkQueue

_REFUSED_DELAY_SECONDS = 60
"""A message that cannot be dead-lettered is returned: SQS moves it once it has been received too often."""

_REMEMBERED = 5000
"""Finished messages whose ids are kept, so that one delivered again is not worked on again."""


class Settler:
    """Tells the queue what becomes of a message whose lease we hold.

    A finished message that SQS delivers again is settled by what is remembered of it: it is deleted, or moved to the
    dead-letter queue where that was decided and could not be done.

    While returns are held up, a message is not returned as long as a poll of this watcher could receive it again;
    ``open_seconds`` says how long that may be. Its lease is extended until then.
    """

    def __init__(
        self,
        queue: WorkQueue,
        keeper: LeaseKeeper,
        open_seconds: Callable[[], float],
        *,
        fifo: bool,
        observe: Observer,
    ) -> None:
        self._queue = queue
        self._keeper = keeper
        self._open_seconds = open_seconds
        self._fifo = fifo
        self._observe = observe
        self._finished: dict[str, Settlement] = {}
        self._released: asyncio.Event | None = None

    def finished(self, message_id: str) -> Settlement | None:
        """Return what is left to do for a message that was finished here, or None for any other."""
        return self._finished.get(message_id)

    def hold_up_returns(self) -> None:
        """Return nothing into the polls that are open now, because this watcher will not work on what they bring."""
        self._released = asyncio.Event()

    def release_returns(self) -> None:
        """Return what was held up: no poll is open any more, or there is no time to wait for one.

        What is returned while a poll is still open becomes visible when the poll has ended.
        """
        if self._released is not None:
            self._released.set()

    async def settle(self, lease: Lease, decided: Settlement) -> Settlement:
        """Carry the decision out and return what became of it: :class:`LetGo` where the lease was lost before."""
        try:
            settlement = await self._carry_out(lease, decided)
        except Exception as error:  # noqa: BLE001 - a lease must not be held without an end, nor the rest of a group
            self._observe(Bug(error, lease.message.message_id))
            settlement = LetGo()
        if removes(settlement):
            self._remember(lease, Delete())
        elif removes(decided) and self.finished(lease.message.message_id) is None:
            self._remember(lease, decided)
        return settlement

    async def _carry_out(self, lease: Lease, decided: Settlement) -> Settlement:
        if lease.after is not None:
            await lease.after.over.wait()
        await self._note_loss(lease)
        if lease.lost and (self._fifo or not removes(decided)):
            return LetGo()
        match decided:
            case Delete():
                return decided if await self._delete(lease) else LetGo()
            case DeadLetter():
                if not await self._queue.dead_letter(lease, decided):
                    self._remember(lease, decided)
                    return await self._return(lease, _REFUSED_DELAY_SECONDS)
                self._remember(lease, Delete())  # whatever becomes of the delete, a second letter is not sent
                return decided if await self._delete(lease) else LetGo()
            case Return(delay_seconds):
                return await self._return(lease, delay_seconds)
            case LetGo():
                return decided

    async def _note_loss(self, lease: Lease) -> None:
        """Notice a lease that ran out while the whole process was stopped, before the keeper does."""
        now = asyncio.get_running_loop().time
        if not lease.is_held(now()):
            await self._keeper.extended(lease)
            if not lease.is_held(now()):
                lease.lose()

    async def _delete(self, lease: Lease) -> bool:
        # A heartbeat that comes after the delete finds no message, which is not a loss.
        lost_before, lease.on_lost = lease.lost, None
        deleted = await self._queue.delete(lease)
        if not deleted and not lost_before:
            self._observe(LeaseLost(lease.message))
        return deleted

    async def _return(self, lease: Lease, delay_seconds: int) -> Settlement:
        if self._released is not None and delay_seconds < self._open_seconds():
            await self._released.wait()
        await self._keeper.quiet(lease)
        if self._released is not None:
            delay_seconds = max(delay_seconds, math.ceil(self._open_seconds()))
        returned = await self._queue.give_back(lease, delay_seconds)
        return Return(delay_seconds) if returned else LetGo()

    def _remember(self, lease: Lease, settlement: Settlement) -> None:
        self._finished[lease.message.message_id] = settlement
        if len(self._finished) > _REMEMBERED:
            del self._finished[next(iter(self._finished))]
