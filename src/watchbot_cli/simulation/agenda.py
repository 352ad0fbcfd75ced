"""What is to happen when: the clock of a simulation."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any


class Agenda:
    """Events in the order of their time; of the same time, in the order in which they were entered."""

    def __init__(self) -> None:
        self.now = 0.0
        self.entered = 0
        """How many events have been entered."""
        self._stopped = False
        self._events: list[tuple[float, int, Callable[[Any], None], Any]] = []

    def at(self, time: float, handler: Callable[[Any], None], subject: Any = None) -> None:
        """Enter an event: ``handler`` is called with ``subject`` once it is ``time``."""
        self.entered += 1
        heapq.heappush(self._events, (time, self.entered, handler, subject))

    def stop(self) -> None:
        """Let nothing more happen."""
        self._stopped = True

    def run(self) -> None:
        """Let it all happen, until there is nothing more or an event stops it."""
        events, pop = self._events, heapq.heappop
        while events and not self._stopped:
            self.now, _, handler, subject = pop(events)
            handler(subject)
