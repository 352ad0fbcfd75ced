"""Many small calls made few: what is to be said about single messages is said ten at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

BATCH = 10
"""SQS takes at most ten entries a call."""


class Coalescer(Generic[T]):
    """Collects entries until there are ten, or until ``linger_seconds`` have passed since the first of them.

    ``send`` makes the call and answers with one error or None for each entry. What it raises is the answer for
    every entry of its batch.
    """

    def __init__(
        self, send: Callable[[Sequence[T]], Awaitable[Sequence[Exception | None]]], linger_seconds: float
    ) -> None:
        self._send = send
        self._linger_seconds = linger_seconds
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def add(self, entry: T) -> None:
        """Say this with the next call, and wait for its answer; raises the entry's own error."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, answer))
        if len(self._waiting) >= BATCH or self._linger_seconds == 0:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._linger_seconds, self.flush)
        await answer

    def flush(self) -> None:
        """Make the call for what has been collected, now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        if batch:
            call = asyncio.create_task(self._call(batch))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, batch: list[tuple[T, asyncio.Future[None]]]) -> None:
        try:
            errors = await self._send([entry for entry, _ in batch])
        except Exception as failure:  # noqa: BLE001 - whatever it is, it is the answer to every entry of the batch
            errors = [failure] * len(batch)
        for (_, answer), error in zip(batch, errors, strict=True):
            if answer.done():
                continue
            if error is None:
                answer.set_result(None)
            else:
                answer.set_exception(error)
