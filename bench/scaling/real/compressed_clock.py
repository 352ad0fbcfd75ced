"""The clock of a simulation, let run in real time, faster than the hours it stands for."""

from __future__ import annotations

import heapq
import time

from watchbot_cli.simulation.agenda import Agenda


class CompressedClock(Agenda):
    """Waits for the time of each event. A second of the simulation takes ``scale`` real ones; it begins with ``run``.

    What happens late does not move what comes after it: ``now`` is when an event was due.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.began_at = time.time()

    @property
    def elapsed(self) -> float:
        """How much of the simulation's time has passed."""
        return self.since(time.time())

    def since(self, moment: float) -> float:
        """Give a moment of the real clock in the simulation's time."""
        return (moment - self.began_at) / self.scale

    def moment(self, elapsed: float) -> float:
        """Give the real clock's moment of a time of the simulation."""
        return self.began_at + elapsed * self.scale

    def run(self) -> None:
        """Let each event happen when it is due."""
        self.began_at = time.time()
        while self._events and not self._stopped:
            self.now, _, handler, subject = heapq.heappop(self._events)
            time.sleep(max(0.0, self.moment(self.now) - time.time()))
            handler(subject)
