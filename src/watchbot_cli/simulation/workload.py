"""The jobs of a simulation: when each is sent and how long it takes."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import io
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from watchbot_cli.errors import UsageError
from watchbot_cli.standard_input import standard_input

DISTRIBUTIONS = ("fixed", "exponential", "lognormal", "uniform")
_LOGNORMAL_SIGMA = 1.0
"""About the spread of job times in practice: of 100 jobs one takes six times the mean."""

LONGEST_SECONDS = 366 * 86_400.0
"""Longer workloads would take minutes to simulate; times since 1970 would take hours."""

_SECONDS_OF_NO_DATE = 1e11
"""Larger numbers are milliseconds since 1970, if they are dates."""

_TRACE_LINE = (
    "seconds, or a date such as 2026-01-05T08:00:00Z, or seconds since 1970, "
    f"and if wanted a duration of 0 to {LONGEST_SECONDS:,.0f} seconds (a year)"
)


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
    """Read jobs from a CSV file, or from standard input for ``-``: when, and if wanted the duration in seconds.

    A first line of names is skipped.

    When is seconds from the beginning, or a date of ISO 8601 or seconds since 1970, which count from the earliest.
    """
    try:
        data = standard_input() if str(file) == "-" else file.read_bytes()
        # Spreadsheets begin a file with a byte order mark.
        lines = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        rows = [(number, row) for number, row in enumerate(lines, 1) if "".join(row).strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"--trace {file} cannot be read: {error}") from error
    if rows and not any(map(str.isdigit, rows[0][1][0])):
        del rows[0]
    jobs = sorted(_trace_job(file, number, row, draw) for number, row in rows)
    if not jobs:
        raise UsageError(f"--trace {file} holds no jobs: each line must be {_TRACE_LINE}")
    first, last = jobs[0][0], jobs[-1][0]
    begin = 0.0 if last <= LONGEST_SECONDS else first
    if last - begin > LONGEST_SECONDS:
        raise UsageError(
            f"--trace {file} must be of at most {LONGEST_SECONDS:,.0f} s (a year), got {last - begin:,.0f} s"
        )
    return Workload([sent - begin for sent, _ in jobs], [duration for _, duration in jobs])


def _trace_job(file: Path, number: int, row: list[str], draw: Callable[[], float]) -> tuple[float, float]:
    sent = _moment(row[0].strip())
    duration = row[1].strip() if len(row) > 1 else ""
    if sent is None or (duration and not _is_time(duration)):
        raise UsageError(f"--trace {file}, line {number}: must be {_TRACE_LINE}, got {','.join(row)!r}")
    return sent, float(duration) if duration else draw()


def _moment(text: str) -> float | None:
    """Give seconds, counted from anywhere; a date without a time zone is taken for UTC."""
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if 0 <= seconds < _SECONDS_OF_NO_DATE else None
    try:
        date = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    seconds = (date if date.tzinfo else date.replace(tzinfo=datetime.UTC)).timestamp()
    return seconds if seconds > LONGEST_SECONDS else None


def _is_time(text: str) -> bool:
    try:
        return 0 <= float(text) <= LONGEST_SECONDS
    except ValueError:
        return False
