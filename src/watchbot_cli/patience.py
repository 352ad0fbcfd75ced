"""Calls that are waited for so long and no longer, in threads that die with the program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def begun(call: Callable[[], _T], name: str | None = None) -> Future[_T]:
    """Make the call in a thread of its own, which no end of the program waits for, unlike those of a pool."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """Return or raise what the call does; raises :class:`TimeoutError` when it takes longer."""
    return begun(call).result(seconds)
