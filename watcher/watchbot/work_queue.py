"""The queue a watcher works on: receive, extend, delete, return, dead-letter."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

from watchbot.coalescer import Coalescer
from watchbot.dead_letter import dead_letter_fields
from watchbot.lease import Lease, LeaseLostError, Returning
from watchbot.message import MalformedMessageError, Message
from watchbot.payload_store import PayloadError, PayloadGoneError, PayloadUnreadableError
from watchbot.settlement import DeadLetter
from watchbot.sqs import Entry, Sqs, SqsError

_LINGER_SECONDS = 0.1
_RETRY_FROM_SECONDS = 0.5
_RETRY_TO_SECONDS = 30.0

_LOST_CODES = {
    "ReceiptHandleIsInvalid",
    "InvalidParameterValue",
    "MessageNotInflight",
    "AWS.SimpleQueueService.MessageNotInflight",
}
"""What SQS answers for a receipt handle that no longer holds its message."""

Whole = Callable[[Message], Awaitable[Message]]
"""Returns a message with its content, wherever that is; raises :class:`PayloadError`."""

Report = Callable[[str, str | None], None]
"""Takes what went wrong with the queue, and the id of the message it went wrong for."""


async def _is_whole(message: Message) -> Message:
    return message


class WorkQueue:
    """Receives messages and tells SQS what became of them, in as few calls as their order allows.

    A call is made again, with back-off, until SQS has taken it: a delete without an end, because finished work must
    not be repeated, a return only while the lease lasts, because then SQS returns the message by itself.
    """

    def __init__(
        self,
        sqs: Sqs,
        *,
        fifo: bool,
        dead_letter_queue_url: str | None,
        chance: random.Random,
        report: Report,
        whole: Whole = _is_whole,
    ) -> None:
        self._sqs = sqs
        self._fifo = fifo
        self._dead_letter_queue_url = dead_letter_queue_url
        self._chance = chance
        self._report = report
        self._whole = whole
        # The next of a FIFO group waits for the delete. The rest of a group that is returned is returned together.
        self._deletes = Coalescer[Entry](sqs.delete, 0 if fifo else _LINGER_SECONDS)
        self._returns = Coalescer[Entry](self._set_visibility, _LINGER_SECONDS)

    @property
    def poll_seconds(self) -> float:
        """How long a receive waits for messages."""
        return self._sqs.poll_seconds

    async def receive(self, limit: int) -> list[Message]:
        """Long-poll for up to ``limit`` messages; raises :class:`SqsError`.

        An entry that is not a message is reported and left to SQS, which shows it again after the visibility timeout
        and moves it to the dead-letter queue in the end.
        """
        received = await self._sqs.receive(limit)
        received_at = asyncio.get_running_loop().time()
        messages = []
        for one in received:
            try:
                messages.append(Message.from_sqs(one, received_at))
            except MalformedMessageError as error:
                problem = f"SQS answered with a message that cannot be read, and is left to SQS: {error}"
                self._report(problem, error.message_id)
        return messages

    async def extend(self, leases: list[tuple[Lease, int]]) -> list[Exception | None]:
        """Set the visibility timeout of up to ten leases; what the lease keeper calls."""
        entries = [Entry(lease.receipt_handle, seconds) for lease, seconds in leases]
        try:
            errors = await self._sqs.change_visibility(entries, heartbeat=True)
        except Exception as error:  # noqa: BLE001 - without an answer no lease of the batch would be extended again
            self._report(str(error) if isinstance(error, SqsError) else repr(error), None)
            return [error] * len(leases)
        return [LeaseLostError(str(error)) if error and is_lost(error) else error for error in errors]

    async def delete(self, lease: Lease) -> bool:
        """Delete the message; False when SQS says that its newest receipt handle no longer holds it."""
        deleted, handle = False, ""
        while handle != lease.receipt_handle:
            # Received again while a delete is on its way: an older handle's delete deletes nothing, or is refused.
            handle = lease.receipt_handle
            deleted = await self._delete(handle, lease)
        return deleted

    async def give_back(self, lease: Lease, delay_seconds: int) -> bool:
        """Return the message to be visible after the delay; False when the lease has ended without that.

        From here on the lease is :attr:`~Lease.returning`. What SQS hands out now is another receive, and as good as an
        answer to this call. A handle that is refused after a call without an answer was returned by that call.
        """
        now = asyncio.get_running_loop().time
        returning = lease.returning = Returning()
        in_doubt = False

        async def once() -> None:
            nonlocal in_doubt
            try:
                await self._returns.add(Entry(lease.receipt_handle, lease.clamp(delay_seconds, now())))
            except SqsError as error:
                if is_lost(error) and in_doubt:
                    return
                if is_lost(error):
                    lease.lose()
                in_doubt = True
                raise

        asking = asyncio.create_task(self._insist(once, lease, worthwhile=lambda: lease.is_held(now())))
        coming = asyncio.create_task(returning.received_again.wait())
        await asyncio.wait([asking, coming], return_when=asyncio.FIRST_COMPLETED)
        coming.cancel()
        if not asking.done():
            asking.cancel()
            return True
        return asking.result()

    async def dead_letter(self, lease: Lease, letter: DeadLetter) -> bool:
        """Send the message to the dead-letter queue; False when it cannot be sent there, or is no longer held."""
        url = self._dead_letter_queue_url
        if url is None:
            return False

        async def send() -> None:
            try:
                message = await self._whole(lease.message)
            except PayloadError as error:
                # Without its content no letter is sent, and the message stays in the queue.
                is_gone = isinstance(error, PayloadGoneError | PayloadUnreadableError)
                raise SqsError(f"no dead letter was sent: {error}", refused=is_gone) from error
            fields = dead_letter_fields(message, letter.reason, fifo=self._fifo, verified=letter.verified)
            await self._sqs.send(url, fields)

        now = asyncio.get_running_loop().time
        return await self._insist(send, lease, worthwhile=lambda: lease.is_held(now()), until_refused=True)

    def flush(self) -> None:
        """Make the calls that wait for company, now."""
        self._deletes.flush()
        self._returns.flush()

    async def _set_visibility(self, entries: Sequence[Entry]) -> list[SqsError | None]:
        return await self._sqs.change_visibility(entries, heartbeat=False)

    async def _delete(self, handle: str, lease: Lease) -> bool:
        return await self._insist(
            lambda: self._deletes.add(Entry(handle)), lease, worthwhile=lambda: lease.receipt_handle == handle
        )

    async def _insist(
        self,
        call: Callable[[], Awaitable[None]],
        lease: Lease,
        *,
        worthwhile: Callable[[], bool],
        until_refused: bool = False,
    ) -> bool:
        """Make the call until it is taken (True), or until there is no more point in it (False)."""
        pause = _RETRY_FROM_SECONDS
        while worthwhile():
            try:
                await call()
            except SqsError as error:
                if not until_refused and is_lost(error):
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
