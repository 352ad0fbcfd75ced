"""Threads for blocking calls, each of which has a deadline as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from watchbot.deadline import CallTimeoutError, Deadline
from watchbot.thread_pool import thread_pool

_T = TypeVar("_T")


class NoThreadError(Exception):
    """No thread could be started for a call; the call was not made, and will not be made later."""


class _Call(Generic[_T]):
    """One call: made in a thread, waited for in the loop.

    No closure refers to itself here: a cycle would keep an answer, which may be megabytes, until Python collects it.
    """

    __slots__ = ("_call", "_deadline", "_loop", "answer")

    def __init__(self, call: Callable[[], _T], deadline: Deadline) -> None:
        self._loop = asyncio.get_running_loop()
        self._call = call
        self._deadline = deadline
        self.answer: asyncio.Future[_T] = self._loop.create_future()

    def make(self) -> None:
        """Make the call, in a thread, unless no caller is waiting any more."""
        if self.answer.done():
            return
        with self._deadline:
            try:
                answer = self._call()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
                self._loop.call_soon_threadsafe(self._fail, error)
            else:
                self._loop.call_soon_threadsafe(self._deliver, answer)

    def look(self) -> None:
        """End the call if its time is up, and else look again when that is."""
        if self.answer.done() and not self.answer.cancelled():
            return
        left = self._deadline.left()
        if left > 0:
            self._loop.call_later(left, self.look)
            return
        self._deadline.end()
        self._fail(CallTimeoutError(self._deadline.seconds))

    def _deliver(self, answer: _T) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def _fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class CallThreads:
    """Makes calls in up to ``count`` threads of its own; each may take ``seconds`` from when its thread begins.

    A call whose time is up raises :class:`CallTimeoutError` at once. Its connection is shut down, which frees its
    thread, and an answer that arrives all the same is dropped.
    """

    def __init__(self, count: int, name: str, seconds: float) -> None:
        self._threads = thread_pool(count, name)
        self._seconds = seconds

    async def make(self, call: Callable[[], _T], *, most_seconds: float | None = None) -> _T:
        """Make the call; raises what it raises, :class:`CallTimeoutError` or :class:`NoThreadError`.

        With ``most_seconds`` the call may take that long while it makes progress.
        """
        made = _Call(call, Deadline(self._seconds, most_seconds))
        try:
            self._threads.submit(made.make)
        except RuntimeError as error:
            # The pool keeps the call for when it has a thread: a receive would then bring messages to no caller.
            made.answer.cancel()
            raise NoThreadError(str(error)) from error
        timer = asyncio.get_running_loop().call_later(self._seconds, made.look)
        try:
            return await made.answer
        finally:
            if not made.answer.cancelled():
                timer.cancel()

    def close(self) -> None:
        """Start no more calls; those under way end by themselves, and nothing waits for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
