"""What a simulation writes down as it goes."""

from __future__ import annotations

import dataclasses

HEARTBEAT_SECONDS = 60.0
"""A watcher extends a message's lease so often: the third part of the default visibility timeout."""

_BILLED_AT_LEAST_SECONDS = 60.0


@dataclasses.dataclass(slots=True)
class TaskTime:
    """Seconds of tasks of one kind, and as Fargate bills them: each task for a minute at least.

    https://aws.amazon.com/fargate/pricing/
    """

    started: int = 0
    seconds: float = 0.0
    billed_seconds: float = 0.0
    spot_billed_seconds: float = 0.0

    def add(self, seconds: float, *, spot: bool) -> None:
        """Count a task that has ended after so many seconds."""
        self.started += 1
        self.seconds += seconds
        billed = max(seconds, _BILLED_AT_LEAST_SECONDS)
        self.billed_seconds += billed
        if spot:
            self.spot_billed_seconds += billed


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """The queue and the fleet at one minute."""

    seconds: float
    outstanding: int
    running: int
    desired: int


class Ledger:
    """Waits, losses and time. A job's wait is from its sending to its first start."""

    def __init__(self, jobs: int) -> None:
        self.waits: list[float] = []
        self._started = bytearray(jobs)
        self.finished = 0
        self.dead_lettered = 0
        self.ended_at = 0.0
        """When a job was done, timed out or was given up for the last time."""
        self.timed_out = 0
        self.killed = 0
        self.interrupted = 0
        self.refused_protection = 0
        self.most_running = 0
        self.job_seconds = 0.0
        self.heartbeats = 0
        self.service = TaskTime()
        self.workers = TaskTime()
        self.timeline: list[Sample] = []

    def start(self, message: int, wait: float) -> None:
        """Note the start of a job; only the first counts for its wait."""
        if not self._started[message]:
            self._started[message] = 1
            self.waits.append(wait)

    def finish(self, now: float, seconds: float) -> None:
        """Note the end of a job."""
        self.finished += 1
        self.ended_at = now
        self.job_seconds += seconds
        self.heartbeats += int(seconds // HEARTBEAT_SECONDS)

    def time_out(self, now: float) -> None:
        """Note that a job has taken longer than it may."""
        self.timed_out += 1
        self.ended_at = now

    def dead_letter(self, now: float) -> None:
        """Note that a message has been received so often that it is given up."""
        self.dead_lettered += 1
        self.ended_at = now
