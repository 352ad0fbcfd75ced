"""The queue a watcher works on: receive, extend, settle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from watchbot.coalescer import Coalescer
from watchbot.dead_letter import dead_letter_fields
from watchbot.lease import Lease, LeaseLostError
from watchbot.message import Message
from watchbot.settlement import DeadLetter, Delete, LetGo, Return, Settlement
from watchbot.sqs import Entry, Sqs, SqsError

_LINGER_SECONDS = 0.1
_RETRY_FROM_SECONDS = 0.5
_RETRY_TO_SECONDS = 30.0
_REFUSED_DELAY_SECONDS = 60

_LOST_CODES = {
    "ReceiptHandleIsInvalid",
    "InvalidParameterValue",
    "MessageNotInflight",
    "AWS.SimpleQueueService.MessageNotInflight",
}
"""What SQS answers for a receipt handle that no longer holds its message."""

Report = Callable[[str, str | None], None]
"""Takes what went wrong with the queue, and the id of the message it went wrong for."""


class WorkQueue:
    """Receives messages and tells SQS what became of them, in as few calls as their order allows.

    A settlement is tried again, with back-off, until SQS has taken it: a delete for ever, because finished work must
    not be repeated, a return only while the lease lasts, because then SQS returns the message by itself.
    """

    def __init__(
        self, sqs: Sqs, *, fifo: bool, dead_letter_queue_url: str | None, chance: random.Random, report: Report
    ) -> None:
        self._sqs = sqs
        self._fifo = fifo
        self._dead_letter_queue_url = dead_letter_queue_url
        self._chance = chance
        self._report = report
        linger_seconds = 0 if fifo else _LINGER_SECONDS
        self._deletes = Coalescer[Entry](sqs.delete, linger_seconds)
        self._returns = Coalescer[Entry](self._set_visibility, linger_seconds)

    async def receive(self, limit: int) -> list[Message]:
        """Long-poll for up to ``limit`` messages; raises :class:`SqsError`."""
        received = await self._sqs.receive(limit)
        received_at = asyncio.get_running_loop().time()
        return [Message.from_sqs(one, received_at) for one in received]

    async def extend(self, leases: list[tuple[Lease, int]]) -> list[Exception | None]:
        """Set the visibility timeout of up to ten leases; what the lease keeper calls."""
        entries = [Entry(lease.receipt_handle, seconds) for lease, seconds in leases]
        try:
            errors = await self._sqs.change_visibility(entries, heartbeat=True)
        except SqsError as error:
            self._report(str(error), None)
            return [error] * len(leases)
        return [LeaseLostError(str(error)) if error and is_lost(error) else error for error in errors]

    async def settle(self, lease: Lease, settlement: Settlement) -> Settlement:
        """Tell SQS, and give back what it took: a message that cannot be dead-lettered is returned instead."""
        match settlement:
            case Delete():
                await self._delete(lease)
            case Return(delay_seconds):
                await self._return(lease, delay_seconds)
            case DeadLetter(reason):
                if not await self._dead_letter(lease, reason):
                    # SQS moves it by itself once it has been received too often.
                    return await self.settle(lease, Return(_REFUSED_DELAY_SECONDS))
                await self._delete(lease)
            case LetGo():
                pass
        return settlement

    def flush(self) -> None:
        """Make the calls that wait for company, now."""
        self._deletes.flush()
        self._returns.flush()

    async def _set_visibility(self, entries: Sequence[Entry]) -> list[SqsError | None]:
        return await self._sqs.change_visibility(entries, heartbeat=False)

    async def _delete(self, lease: Lease) -> None:
        deleted = ""
        while deleted != lease.receipt_handle:
            # Received again while the delete was on its way: the older handle's delete succeeds and deletes nothing.
            deleted = lease.receipt_handle
            if not await self._insist(lambda: self._deletes.add(Entry(lease.receipt_handle)), lease):
                return

    async def _return(self, lease: Lease, delay_seconds: int) -> None:
        now = asyncio.get_running_loop().time
        await self._insist(
            lambda: self._returns.add(Entry(lease.receipt_handle, lease.clamp(delay_seconds, now()))),
            lease,
            worthwhile=lambda: lease.is_held(now()),
        )

    async def _dead_letter(self, lease: Lease, reason: str) -> bool:
        url = self._dead_letter_queue_url
        if url is None:
            return False
        fields = dead_letter_fields(lease.message, reason, fifo=self._fifo)
        now = asyncio.get_running_loop().time
        return await self._insist(
            lambda: self._sqs.send(url, fields), lease, worthwhile=lambda: lease.is_held(now()), until_refused=True
        )

    async def _insist(
        self,
        call: Callable[[], Awaitable[None]],
        lease: Lease,
        *,
        worthwhile: Callable[[], bool] = lambda: True,
        until_refused: bool = False,
    ) -> bool:
        """Make the call until it is taken (True), or until there is no more point in it (False)."""
        pause = _RETRY_FROM_SECONDS
        while worthwhile():
            try:
                await call()
            except SqsError as error:
                if not until_refused and is_lost(error):
                    lease.lose()
                    return False
                self._report(str(error), lease.message.message_id)
                if until_refused and error.refused:
                    return False
            else:
                return True
            await asyncio.sleep(pause * (0.5 + self._chance.random() / 2))
            pause = min(pause * 2, _RETRY_TO_SECONDS)
        return False


def is_lost(error: SqsError) -> bool:
    """Whether SQS says that a receipt handle no longer holds its message; too long a timeout is told apart."""
    return error.code in _LOST_CODES and "beyond the limit" not in str(error)
