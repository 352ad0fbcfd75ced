"""Threads for blocking calls, each of which has a deadline as a whole."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from watchbot.deadline import CallTimeoutError, Deadline
from watchbot.thread_pool import thread_pool

_T = TypeVar("_T")


class NoThreadError(Exception):
    """No thread could be started for a call; the call was not made, and will not be made later."""


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
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        deadline = Deadline(self._seconds, most_seconds)

        def work() -> None:
            if answer.done():
                return  # no caller is waiting any more
            deliver: Callable[[], Any]
            with deadline:
                try:
                    deliver = functools.partial(answer.set_result, call())
                except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer
                    deliver = functools.partial(answer.set_exception, error)
            loop.call_soon_threadsafe(lambda: None if answer.done() else deliver())

        def look() -> None:
            if answer.done() and not answer.cancelled():
                return
            left = deadline.left()
            if left > 0:
                loop.call_later(left, look)
                return
            deadline.end()
            if not answer.done():
                answer.set_exception(CallTimeoutError(self._seconds))

        try:
            self._threads.submit(work)
        except RuntimeError as error:
            # The pool keeps the call for when it has a thread: a receive would then bring messages to no caller.
            answer.cancel()
            raise NoThreadError(str(error)) from error
        timer = loop.call_later(self._seconds, look)
        try:
            return await answer
        finally:
            if not answer.cancelled():
                timer.cancel()

    def close(self) -> None:
        """Start no more calls; those under way end by themselves, and nothing waits for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
