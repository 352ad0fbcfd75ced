"""The request to stop: signals only record it here, the event loop acts on it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable

_TERMINATING = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPWR")

_UNUSUAL = ("SIGWINCH", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGXCPU", "SIGSTKFLT", "SIGTSTP")
"""What only an image would make the first signal of its stop; elsewhere some of them come from a terminal."""


def terminating_signals(*, in_ecs: bool) -> list[int]:
    """List every signal an image's STOPSIGNAL may make the first one of a stop.

    A task definition cannot override STOPSIGNAL, so in ECS a watcher that runs in a user's image may be told to stop
    by any of these. Elsewhere SIGWINCH is what a terminal sends when its window is resized.
    """
    names = (*_TERMINATING, *_UNUSUAL) if in_ecs else _TERMINATING
    numbers = [int(getattr(signal, name)) for name in names if hasattr(signal, name)]
    if in_ecs and hasattr(signal, "SIGRTMIN"):
        numbers += range(signal.SIGRTMIN, signal.SIGRTMAX + 1)
    return numbers


class Stop:
    """Three stages: ``requested`` drains, ``pressed`` (a signal) sets a time, ``hurried`` (a second) skips the wait."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hurried = asyncio.Event()
        self.pressed = asyncio.Event()
        self.reason = ""

    def request(self, reason: str) -> None:
        """Ask for a drain within its time; asking a second time asks to hurry."""
        if self.pressed.is_set():
            self.hurried.set()
            return
        self.pressed.set()
        self.retire(reason)

    def retire(self, reason: str) -> None:
        """Ask for a drain that lets running jobs take the time they need, unless :meth:`request` comes to press."""
        if not self.requested.is_set():
            self.reason = reason
            self.requested.set()

    def listen(self, numbers: Iterable[int]) -> None:
        """Take these signals from now on, on the running loop."""
        loop = asyncio.get_running_loop()
        for number in numbers:
            loop.add_signal_handler(number, self.request, f"signal {_name(number)}")


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
