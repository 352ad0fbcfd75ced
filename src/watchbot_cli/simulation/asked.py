"""What was typed."""

from __future__ import annotations

import dataclasses
import datetime
import shlex
from collections.abc import Iterator, Sequence


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the command; of ``minima``, ``maxima`` and ``workers`` each combination is simulated."""

    app: str | None
    templates: Sequence[str]
    service: str | None
    jobs: int | None
    duration: str
    rate: str | None
    rate_for: str | None
    trace: str | None
    distribution: str
    seed: int
    start: datetime.datetime
    task_start: str
    metric_delay: str
    idle_before: str
    deploy_at: Sequence[str]
    spot_interruptions: float
    minima: Sequence[int]
    maxima: Sequence[int]
    workers: Sequence[int]
    compare: bool
    as_json: bool
    html: str | None

    @property
    def conditions(self) -> Sequence[str]:
        """Give the options of workload and conditions, with which the same comes out again."""
        return [shlex.join(pair) for pair in self._conditions()]

    def _conditions(self) -> Iterator[tuple[str, str]]:
        workload = (("--jobs", self.jobs), ("--rate", self.rate), ("--for", self.rate_for), ("--trace", self.trace))
        yield from ((option, str(value)) for option, value in workload if value is not None)
        yield "--duration", self.duration
        yield "--distribution", self.distribution
        yield "--seed", str(self.seed)
        yield "--start", f"{self.start:%Y-%m-%dT%H:%M}"
        yield "--task-start", self.task_start
        yield "--metric-delay", self.metric_delay
        yield "--idle-before", self.idle_before
        for moment in self.deploy_at:
            yield "--deploy-at", moment
        yield "--spot-interruptions", f"{self.spot_interruptions:g}"
