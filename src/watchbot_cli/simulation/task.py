"""An ECS task of the service, as the simulation sees it."""

from __future__ import annotations

import enum

RENEWAL_SECONDS = 300.0
"""So often a watcher renews its protection."""

LINGER_SECONDS = 10.0
"""A watcher gives its protection back so long after its last job."""


class Ending(enum.Enum):
    """What becomes of a job, unless its task is stopped before."""

    DONE = enum.auto()
    INTERRUPTED = enum.auto()
    TIMED_OUT = enum.auto()


class Task:
    """A watcher with its jobs; ``stopped`` for good, or no longer ``receiving``."""

    __slots__ = (
        "awaited",
        "generation",
        "idle_since",
        "jobs",
        "launched_at",
        "protected_since",
        "receiving",
        "running",
        "spot",
        "stopped",
    )

    def __init__(self, launched_at: float, generation: int, *, spot: bool) -> None:
        self.launched_at = launched_at
        self.generation = generation
        self.spot = spot
        self.running = False
        self.receiving = False
        self.stopped = False
        self.awaited = False
        """Whether its next renewal, or the end of its protection, is entered in the agenda."""
        self.jobs: dict[int, tuple[float, Ending]] = {}
        """When each job ends, and how."""
        self.idle_since = launched_at - LINGER_SECONDS
        self.protected_since = launched_at

    def is_protected(self, now: float) -> bool:
        """Whether ECS may not stop it: while jobs run, and ten seconds longer."""
        return bool(self.jobs) or now < self.released_at

    @property
    def released_at(self) -> float:
        """When the protection of a task without jobs ends."""
        return self.idle_since + LINGER_SECONDS

    def renews_at(self, now: float) -> float:
        """Give the next renewal after ``now``."""
        renewed = self.protected_since + ((now - self.protected_since) // RENEWAL_SECONDS + 1) * RENEWAL_SECONDS
        return renewed if renewed > now else renewed + RENEWAL_SECONDS  # where rounding makes it the one that just was

    def take(self, now: float, message: int, ends_at: float, ending: Ending) -> None:
        """Begin a job; the first one after a pause takes protection anew."""
        if not self.is_protected(now):
            self.protected_since = now
        self.jobs[message] = ends_at, ending
