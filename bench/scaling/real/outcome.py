"""What came out, of the simulator or of real watchers; and how far apart they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from bench.scaling.real.compressed_clock import CompressedClock
from watchbot_cli.simulation.figures import Figures, Waits
from watchbot_cli.simulation.workload import Workload

MOST_APART = 0.15
_MINUTE = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """Waits and the last job's end in minutes; jobs that ran more than once.

    ``late_seconds`` is by how much a watcher was loaded later than its task should have started: the machine is too
    slow, or too busy, for the scale.
    """

    wait_p50: float
    wait_p95: float
    drained: float
    task_hours: float
    repeated: int
    late_seconds: float = 0.0

    @classmethod
    def of_figures(cls, figures: Figures) -> Outcome:
        """Take it out of a simulation's figures."""
        return cls._of(figures.waits, figures.drain_seconds, figures.task_hours, figures.killed)

    @classmethod
    def of_jobs(cls, file: Path, workload: Workload, clock: CompressedClock, task_seconds: float) -> Outcome:
        """Read what the jobs have noted."""
        began: dict[int, float] = {}
        ended: dict[int, float] = {}
        lines = file.read_text().splitlines()
        for what, job, moment in map(str.split, lines):
            times = began if what == "began" else ended
            times.setdefault(int(job), clock.since(float(moment)))
        if len(ended) != len(workload.sent):
            raise ValueError(f"{len(ended)} of {len(workload.sent)} jobs have ended")
        waits = Waits.of([began[job] - sent for job, sent in enumerate(workload.sent)])
        repeated = sum(line.startswith("began") for line in lines) - len(began)
        return cls._of(waits, max(ended.values()), task_seconds / 3600, repeated)

    @classmethod
    def _of(cls, waits: Waits, drained: float | None, task_hours: float, repeated: int) -> Outcome:
        if waits.p50 is None or waits.p95 is None or drained is None:
            raise ValueError("not all jobs have ended")
        return cls(waits.p50 / _MINUTE, waits.p95 / _MINUTE, drained / _MINUTE, task_hours, repeated)


COMPARED = ("wait_p50", "wait_p95", "drained", "task_hours")


def apart(real: Outcome, simulated: Outcome) -> Iterator[tuple[str, float]]:
    """Give by how much of the real figure the simulated one differs; waits below a minute by how much of a minute.

    A job that waits for nothing begins in milliseconds, which are seconds in compressed time.
    """
    for name in COMPARED:
        a, b = getattr(real, name), getattr(simulated, name)
        least = 1.0 if name.startswith("wait") else 0.0
        yield name, (b - a) / max(a, least)
