"""From runs to figures: pure arithmetic, and the targets to hold."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence

from bench.contender import MAPBOX, SPAWN_LOOP, WATCHBOT
from bench.race import Run

TRUE_NEAR = "worker true, no delay"
TRUE_FAR = "worker true, 15 ms round trips"
SLEEP_FAR = "worker of 0.1 s, 15 ms round trips"

Runs = Mapping[str, Mapping[str, Sequence[Run]]]
"""By course, then by contender."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """A promise: ``value`` is None where there was nothing to measure it by."""

    what: str
    value: float | None
    bound: float
    unit: str
    at_least: bool

    @property
    def held(self) -> bool | None:
        """Whether it is kept; None when it could not be measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def best_rate(runs: Sequence[Run]) -> float:
    """Give the highest messages a second."""
    return max(run.rate for run in runs)


def median_rate(runs: Sequence[Run]) -> float:
    """Give the median of messages a second."""
    return statistics.median(run.rate for run in runs)


def best_cpu(runs: Sequence[Run]) -> float:
    """Give the least processor seconds a message."""
    return min(run.cpu_per_message for run in runs)


def most_requests(runs: Sequence[Run]) -> float:
    """Give the most requests a message."""
    return max(run.requests_per_message for run in runs)


def peak_mib(runs: Sequence[Run]) -> float:
    """Give the most memory of all runs, in MiB."""
    return max(run.peak_bytes for run in runs) / 2**20


def times_as_fast(course: Mapping[str, Sequence[Run]], other: str) -> float | None:
    """Compare the best of the watcher with the best of another; None without the other."""
    if other not in course or WATCHBOT not in course:
        return None
    return best_rate(course[WATCHBOT]) / best_rate(course[other])


def targets(runs: Runs, added_seconds: float) -> list[Target]:
    """Judge every promise."""
    near = runs[TRUE_NEAR]
    ours = [run for course in runs.values() for run in course[WATCHBOT]]
    return [
        Target(f"messages/s over {MAPBOX}, {TRUE_NEAR}", times_as_fast(near, MAPBOX), 8, "x", at_least=True),
        Target(f"messages/s over {SPAWN_LOOP}, {TRUE_NEAR}", times_as_fast(near, SPAWN_LOOP), 0.2, "x", at_least=True),
        Target(f"messages/s over {MAPBOX}, {TRUE_FAR}", times_as_fast(runs[TRUE_FAR], MAPBOX), 25, "x", at_least=True),
        Target(
            f"messages/s over {MAPBOX}, {SLEEP_FAR}", times_as_fast(runs[SLEEP_FAR], MAPBOX), 35, "x", at_least=True
        ),
        Target(
            f"CPU a message over {SPAWN_LOOP}, {TRUE_NEAR}",
            best_cpu(near[WATCHBOT]) / best_cpu(near[SPAWN_LOOP]),
            3,
            "x",
            at_least=False,
        ),
        Target("peak memory of the watcher, any run", peak_mib(ours), 64, "MiB", at_least=False),
        Target(f"requests a message, {TRUE_NEAR}", most_requests(near[WATCHBOT]), 0.3, "", at_least=False),
        Target("publish to worker started above a bare long poll, p50", added_seconds * 1000, 10, "ms", at_least=False),
    ]


def added_wait(waits: Mapping[str, Sequence[float]], other: str) -> float:
    """Give by how much the watcher's median wait is longer than the other's, in seconds."""
    return statistics.median(waits[WATCHBOT]) - statistics.median(waits[other])
