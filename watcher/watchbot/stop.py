"""The request to stop: a thread takes the signals, the event loop acts on them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterable


class Stop:
    """Three stages: ``requested`` drains, ``pressed`` (a signal) sets a time, ``hurried`` (a second) skips the wait."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hurried = asyncio.Event()
        self.pressed = asyncio.Event()
        self.reason = ""
        self.failed = False

    def request(self, reason: str) -> None:
        """Drain within the time for that; a second request skips the wait."""
        if self.pressed.is_set():
            self.hurried.set()
            return
        self.pressed.set()
        self.retire(reason)

    def retire(self, reason: str) -> None:
        """Drain and leave running jobs the time they need, unless :meth:`request` presses."""
        if not self.requested.is_set():
            self.reason = reason
            self.requested.set()

    def give_up(self, reason: str) -> None:
        """Drain within the time for that, and exit with 1: a watcher elsewhere may do better."""
        self.failed = True
        if not self.pressed.is_set():
            self.request(reason)

    def listen(self, numbers: Iterable[int]) -> None:
        """Take these signals from now on, those that are pending included.

        They stay blocked in every thread, from the first instruction of the program to its last, and a thread waits
        for them: none is dropped or ends the program before the loop runs, nor after it has been closed.
        """
        wanted = frozenset(numbers)
        signal.pthread_sigmask(signal.SIG_SETMASK, wanted)
        while pending := signal.sigpending() & wanted:
            self.request(f"signal {_name(signal.sigwait(pending))}")
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._wait, args=(loop, wanted), name="signals", daemon=True).start()

    def _wait(self, loop: asyncio.AbstractEventLoop, wanted: frozenset[int]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program is about to end
            while True:
                loop.call_soon_threadsafe(self.request, f"signal {_name(signal.sigwait(wanted))}")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
