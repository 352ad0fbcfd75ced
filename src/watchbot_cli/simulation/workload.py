"""The jobs of a simulation: when each is sent and how long it takes."""

from __future__ import annotations

import csv
import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from watchbot_cli.errors import UsageError

DISTRIBUTIONS = ("fixed", "exponential", "lognormal", "uniform")
_LOGNORMAL_SIGMA = 1.0
"""About the spread of job times in practice: of 100 jobs one takes six times the mean."""

LONGEST_SECONDS = 366 * 86_400.0
"""Longer workloads would take minutes to simulate; times since 1970 would take hours."""


@dataclasses.dataclass(frozen=True, slots=True)
class Workload:
    """Jobs in the order in which they are sent; times in seconds since the first metric of the simulation."""

    sent: Sequence[float]
    durations: Sequence[float]

    @property
    def mean_seconds(self) -> float:
        """The mean duration; 0 without jobs."""
        return sum(self.durations) / len(self.durations) if self.durations else 0.0


def burst(jobs: int, draw: Callable[[], float]) -> Workload:
    """Send so many jobs at once."""
    return Workload([0.0] * jobs, [draw() for _ in range(jobs)])


def steady(per_second: float, seconds: float, draw: Callable[[], float], rng: random.Random | None = None) -> Workload:
    """Send jobs at a rate for a time: evenly, or as a Poisson process where ``rng`` is given."""
    sent: list[float] = []
    time = 0.0
    while time < seconds:
        sent.append(time)
        time += 1 / per_second if rng is None else rng.expovariate(per_second)
    return Workload(sent, [draw() for _ in sent])


def duration_draw(distribution: str, mean_seconds: float, rng: random.Random) -> Callable[[], float]:
    """Give a function that draws durations of this mean; ``uniform`` is from half of it to one and a half."""
    match distribution:
        case "exponential":
            return lambda: rng.expovariate(1 / mean_seconds)
        case "lognormal":
            mu = math.log(mean_seconds) - _LOGNORMAL_SIGMA**2 / 2
            return lambda: rng.lognormvariate(mu, _LOGNORMAL_SIGMA)
        case "uniform":
            return lambda: rng.uniform(0.5 * mean_seconds, 1.5 * mean_seconds)
        case _:
            return lambda: mean_seconds


def read_trace(file: Path, draw: Callable[[], float]) -> Workload:
    """Read jobs from a CSV file: seconds, and if wanted the duration; a first line of names is skipped."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:  # spreadsheets begin a file with a byte order mark
            rows = [(number, row) for number, row in enumerate(csv.reader(lines), 1) if "".join(row).strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"--trace {file} cannot be read: {error}") from error
    if rows and not any(map(str.isdigit, rows[0][1][0])):
        del rows[0]
    jobs = sorted(_trace_job(file, number, row, draw) for number, row in rows)
    if not jobs:
        raise UsageError(f"--trace {file} holds no jobs: each line must be seconds[,duration in seconds]")
    return Workload([sent for sent, _ in jobs], [duration for _, duration in jobs])


def _trace_job(file: Path, number: int, row: list[str], draw: Callable[[], float]) -> tuple[float, float]:
    given = [cell for cell in row[:2] if cell.strip()]
    if not row[0].strip() or not all(map(_is_time, given)):
        raise UsageError(
            f"--trace {file}, line {number}: must be seconds[,duration in seconds], "
            f"counted from 0 and at most {LONGEST_SECONDS:,.0f} (a year), got {','.join(row)!r}"
        )
    return float(row[0]), float(row[1]) if len(given) > 1 else draw()


def _is_time(text: str) -> bool:
    try:
        return 0 <= float(text) <= LONGEST_SECONDS
    except ValueError:
        return False
