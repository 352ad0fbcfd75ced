"""The intake: long polls for as many messages as there are free slots."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from watchbot.message import Message
from watchbot.message_memory import MessageMemory
from watchbot.notice import Observer, QueueTrouble
from watchbot.slots import Slots
from watchbot.sqs import SqsError
from watchbot.work_queue import WorkQueue

_BATCH = 10
_LINGER_SECONDS = 0.005
_PAUSE_FROM_SECONDS = 1.0
_PAUSE_TO_SECONDS = 60.0
_GIVE_UP_SECONDS = 600.0

_ANSWER_SECONDS = 1.0
"""For the way of a poll to SQS and back, beside the time it waits there."""

Admit = Callable[[list[Message], int], None]
"""Takes the messages of a poll and the number of slots that were taken for it."""


class QueueUnreachableError(Exception):
    """Every receive has failed for ten minutes: another watcher, elsewhere, may do better."""


class Intake:
    """Opens polls while slots are free.

    A poll that comes back full opens one more beside it, up to one for every ten slots; an empty one closes all but
    one. While jobs run, a poll lingers for a few milliseconds so that slots freed together are filled by one call.
    Failures pause all polls, with back-off and jitter; only receives that were tried count towards giving up.
    """

    def __init__(
        self,
        queue: WorkQueue,
        slots: Slots,
        memory: MessageMemory,
        admit: Admit,
        *,
        max_polls: int,
        chance: random.Random,
        observe: Observer,
    ) -> None:
        self._queue = queue
        self._slots = slots
        self._memory = memory
        self._admit = admit
        self._max_polls = max_polls
        self._chance = chance
        self._observe = observe
        self._allowed = 1
        self._polls: dict[asyncio.Task[None], float] = {}
        self._failures = 0
        self._failing_since: float | None = None
        self._last_failure = 0.0

    async def run(self) -> None:
        """Keep polls open until cancelled; raises :class:`QueueUnreachableError`."""
        while True:
            while len(self._polls) >= self._allowed or not self._free():
                await self._slots.change()
            await self._pause_after_failure()
            await self._linger()
            if self._free():
                poll = asyncio.create_task(self._poll(*self._take()))
                self._polls[poll] = asyncio.get_running_loop().time()
                poll.add_done_callback(self._closed)
                if self._failures:
                    await asyncio.wait({poll})

    async def finish(self) -> None:
        """Wait for the polls that are open; what they bring is admitted as ever."""
        while self._polls:
            await asyncio.wait(self._polls)

    def open_seconds(self) -> float:
        """Return for how long the open polls may still bring a message that becomes visible; 0 when none is open."""
        if not self._polls:
            return 0.0
        last_opened_at = max(self._polls.values())
        closed_at = last_opened_at + self._queue.poll_seconds + _ANSWER_SECONDS
        return max(0.0, closed_at - asyncio.get_running_loop().time())

    def _closed(self, poll: asyncio.Task[None]) -> None:
        del self._polls[poll]
        self._slots.recount()

    def _free(self) -> int:
        """Return how many messages a poll may bring now."""
        free = min(_BATCH, self._slots.free)
        return min(free, self._memory.room()) if free else 0

    def _take(self) -> tuple[int, int]:
        count = self._free()
        self._slots.take(count)
        return count, self._memory.take(count)

    async def _linger(self) -> None:
        wanted = min(_BATCH, self._slots.offered)
        if self._slots.free >= wanted:
            return
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while self._slots.free < wanted:
                    await self._slots.change()
        except TimeoutError:
            pass

    async def _poll(self, limit: int, taken_bytes: int) -> None:
        asked_at = asyncio.get_running_loop().time()
        messages: list[Message] = []
        try:
            messages = await self._queue.receive(limit)
        except Exception as error:  # noqa: BLE001 - whatever stops one poll must not stop the watcher
            self._slots.give_back(limit)
            self._failed(error if isinstance(error, SqsError) else SqsError(repr(error)), asked_at)
            return
        finally:
            self._memory.answered(taken_bytes, messages)
        self._failures = 0
        self._failing_since = None
        if len(messages) >= limit:
            self._allowed = min(self._allowed + 1, self._max_polls)
        elif not messages:
            self._allowed = 1
            await self._pause_after_hasty_answer(asked_at)
        self._admit(messages, limit)

    async def _pause_after_hasty_answer(self, asked_at: float) -> None:
        """Keep the slots for a moment when a poll that should have waited says at once that there is nothing."""
        if asyncio.get_running_loop().time() - asked_at >= _PAUSE_FROM_SECONDS:
            return
        self._observe(QueueTrouble("a receive came back empty at once instead of waiting for messages"))
        await asyncio.sleep(self._jittered(_PAUSE_FROM_SECONDS))

    def _failed(self, error: SqsError, asked_at: float) -> None:
        if self._failing_since is None or asked_at - self._last_failure > 2 * _PAUSE_TO_SECONDS:
            self._failing_since = asked_at
        if not self._failures or asked_at >= self._last_failure:
            # Polls that were open beside one another and fail together are one failure.
            self._failures += 1
        self._last_failure = asyncio.get_running_loop().time()
        self._allowed = 1
        self._observe(QueueTrouble(str(error)))

    async def _pause_after_failure(self) -> None:
        if not self._failures or self._failing_since is None:
            return
        if self._last_failure - self._failing_since >= _GIVE_UP_SECONDS:
            raise QueueUnreachableError(f"no receive has succeeded for {_GIVE_UP_SECONDS / 60:.0f} minutes")
        pause = min(_PAUSE_FROM_SECONDS * 2 ** min(self._failures - 1, 10), _PAUSE_TO_SECONDS)
        await asyncio.sleep(self._jittered(pause))

    def _jittered(self, pause: float) -> float:
        return pause * (0.5 + self._chance.random() / 2)
