"""The signals that may be the first one of a stop."""

from __future__ import annotations

import os
import signal
from types import FrameType

_TERMINATING = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPWR")

_UNUSUAL = ("SIGWINCH", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGXCPU", "SIGSTKFLT", "SIGTSTP")
"""Signals that only an image makes the first one of its stop; elsewhere some of them come from a terminal."""


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


def end_on_signals() -> None:
    """End this program at once on any signal of a stop, also on one that is pending: 128 + its number, as shells say.

    PID 1 needs a handler for that: the kernel drops what it has none for.
    """
    for number in terminating_signals(in_ecs=True):
        signal.signal(number, _end)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _end(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)
