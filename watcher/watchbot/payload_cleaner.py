"""The observer that deletes the payloads of messages that are done with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchbot.contract import Outcome
from watchbot.message import Message
from watchbot.notice import HandedBack, JobFinished, LeaseLost, Notice, Received
from watchbot.payload import Pointer
from watchbot.payload_store import PayloadError, Payloads
from watchbot.result import Result
from watchbot.settlement import Delete, Settlement, removes

_LAST_SECONDS = 5.0


class PayloadCleaner:
    """Deletes a payload once its message was processed and deleted, in this order.

    ``pointer_of`` finds senders' payloads only in a service that was told to delete them: a topic may deliver one
    message to many queues, and a message that it delivers raw does not show that.

    A payload whose message failed, was rejected or dead-lettered stays, for whoever looks at it or sends it again; so
    does one whose lease was lost, because the delete of its message may have deleted nothing. What the watcher itself
    has ``parked`` in S3 goes with its message, whatever became of that.
    """

    def __init__(
        self,
        payloads: Payloads,
        pointer_of: Callable[[Message], Pointer | None],
        parked: Callable[[Message], list[Pointer]],
        failed: Callable[[str, str], None],
    ) -> None:
        self._payloads = payloads
        self._pointer_of = pointer_of
        self._parked = parked
        self._failed = failed
        self._lost: set[str] = set()
        self._deleting: set[asyncio.Task[None]] = set()

    def __call__(self, notice: Notice) -> None:
        """Look at what became of a message."""
        match notice:
            case LeaseLost(message):
                self._lost.add(message.message_id)
            case Received(message):
                # Held again, by a handle that deletes.
                self._lost.discard(message.message_id)
            case HandedBack(message, _):
                self._lost.discard(message.message_id)
            case JobFinished(message, result, settlement):
                if message.message_id not in self._lost:
                    self._clean(message, result, settlement)
                self._lost.discard(message.message_id)

    def _clean(self, message: Message, result: Result, settlement: Settlement) -> None:
        pointers = self._parked(message) if removes(settlement) else []
        theirs = self._pointer_of(message)
        if theirs is not None and result.outcome is Outcome.SUCCEEDED and isinstance(settlement, Delete):
            pointers.append(theirs)
        for pointer in pointers:
            task = asyncio.create_task(self._delete(message.message_id, pointer))
            self._deleting.add(task)
            task.add_done_callback(self._deleting.discard)

    async def finish(self) -> None:
        """Wait a moment for what is being deleted; an object that stays only costs its storage."""
        if self._deleting:
            await asyncio.wait(self._deleting, timeout=_LAST_SECONDS)

    async def _delete(self, message_id: str, pointer: Pointer) -> None:
        try:
            await self._payloads.delete(pointer)
        except PayloadError as error:
            self._failed(message_id, str(error))
