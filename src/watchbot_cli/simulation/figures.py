"""What came out of a simulation."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from watchbot_cli.simulation.ledger import Sample, TaskTime


@dataclasses.dataclass(frozen=True, slots=True)
class Waits:
    """How long jobs waited for their first start, in seconds; nothing where none has started."""

    p50: float | None
    p95: float | None
    max: float | None
    mean: float | None

    @classmethod
    def of(cls, waits: list[float]) -> Waits:
        """Sum up the waits."""
        if not waits:
            return cls(None, None, None, None)
        waits.sort()
        return cls(percentile(waits, 0.5), percentile(waits, 0.95), waits[-1], math.fsum(waits) / len(waits))


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """The result. ``drain_seconds`` is from the first metric to the end of the last job, None where jobs are left.

    What is dead-lettered is not left, and not finished.

    From ``held_back_at_seconds`` on workers were free while as many messages were in flight as SQS allows, if ever.
    """

    jobs: int
    finished: int
    dead_lettered: int
    waits: Waits
    drain_seconds: float | None
    killed: int
    interrupted: int
    timed_out: int
    refused_protection: int
    held_back_at_seconds: float | None
    most_running: int
    job_seconds: float
    heartbeats: int
    span_seconds: float
    service: TaskTime
    workers: TaskTime
    timeline: Sequence[Sample]

    @property
    def left(self) -> int:
        """How many jobs nobody has done or given up."""
        return self.jobs - self.finished - self.dead_lettered

    @property
    def task_hours(self) -> float:
        """Hours of tasks from launch to stop, watchers' and workers'."""
        return (self.service.seconds + self.workers.seconds) / 3600

    @property
    def tasks_started(self) -> int:
        """How many tasks were launched."""
        return self.service.started + self.workers.started


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the value below which this share of the ordered values lies, between two of them if need be."""
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
