"""Ctrl-C, and what else asks a run to stop."""

from __future__ import annotations

import signal
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption(Exception):  # noqa: N818 - no error: somebody wants it
    """A signal asked to stop."""


class Signals:
    """Counts the signals that ask to stop: the first drains, the second hurries.

    Until there is something to drain the first ends whatever goes on, a read from a terminal for instance.
    """

    def __init__(self) -> None:
        self.count = 0
        self._only_counts = False
        for number in _SIGNALS:
            signal.signal(number, self._record)

    def only_count(self) -> None:
        """From here on the program looks for itself."""
        self._only_counts = True

    def check(self) -> None:
        """Raise :class:`Interruption` if there was a signal."""
        if self.count:
            raise Interruption

    def _record(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1 and not self._only_counts:
            raise Interruption
