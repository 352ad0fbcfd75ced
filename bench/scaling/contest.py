"""Four workloads, each on every way to scale: at most 100 tasks of one slot, from no task or from one."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence

from watchbot_cli.simulation.figures import Figures
from watchbot_cli.simulation.peers import backlog_trackings, ecs_watchbot, queue_processing_service, watchbot_ladder
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import Workload, burst, steady

OFFSETS = (0.5, 15.0, 30.0, 45.0, 59.5)
"""Seconds after a metric at which a workload begins. With the first it waits longest for the next one; with the last
it begins as another model's does, just before one. Each has a seed of its own, for which task is stopped is drawn.
None is at a metric: of what happens in the same moment nobody can say what is first."""

OURS = ("watchbot", "watchbot, min=1")
UNPROTECTED = "watchbot, unprotected"
_ONE = "1 x 60 s"
_FROM_ZERO = Setting(name="service", minimum=0, maximum=100)
_FROM_ONE = dataclasses.replace(_FROM_ZERO, minimum=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What is compared: times in minutes from the first message; None where no job started, or not all ended."""

    p50: float | None
    p95: float | None
    drained: float | None
    killed: int
    task_hours: float

    @classmethod
    def of(cls, figures: Figures, offset: float) -> Entry:
        """Take it out of a simulation's figures."""
        waits, drain = figures.waits, figures.drain_seconds
        drained = None if drain is None else drain - offset
        return cls(
            _minutes(waits.p50), _minutes(waits.p95), _minutes(drained), figures.killed, round(figures.task_hours, 2)
        )


QUANTITIES = tuple(field.name for field in dataclasses.fields(Entry))


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What scales, from how many tasks, and an entry for each of the offsets."""

    minimum: int
    entries: Sequence[Entry]

    def values(self, quantity: str) -> Sequence[float | None]:
        """Give one quantity at every offset."""
        return [getattr(entry, quantity) for entry in self.entries]

    def mean(self, quantity: str) -> float | None:
        """Give the mean of a quantity; None where it is not known at some offset."""
        known = [value for value in self.values(quantity) if value is not None]
        return statistics.fmean(known) if len(known) == len(self.entries) else None


Table = Mapping[str, Mapping[str, Row]]
"""By workload, then by what scales."""


def workloads() -> Mapping[str, Workload]:
    """Give the workloads by name."""
    return {
        "1,000 x 60 s": burst(1000, lambda: 60),
        "200 x 30 min": burst(200, lambda: 1800),
        "5/min x 120 s, 3 h": steady(5 / 60, 3 * 3600, lambda: 120),
        _ONE: burst(1, lambda: 60),
    }


def contest() -> Table:
    """Simulate all of it."""
    return {
        name: {setting.name: _row(setting, workload) for setting in _settings(one=name == _ONE)}
        for name, workload in workloads().items()
    }


def _row(setting: Setting, workload: Workload) -> Row:
    """Play it, without a dead-letter queue as in the other model: what is killed again and again stays."""
    setting = dataclasses.replace(setting, max_receives=None)
    entries = []
    for seed, offset in enumerate(OFFSETS, 1):
        moved = Workload([sent + offset for sent in workload.sent], workload.durations)
        entries.append(Entry.of(simulate(setting, moved, Conditions(seed=seed)), offset))
    return Row(setting.minimum, entries)


def _settings(*, one: bool) -> Sequence[Setting]:
    """Give what scales from no task, and what from one that is always there: each with ours beside it.

    One message is for those that scale from zero: whoever keeps a task needs none.
    """
    ours = watchbot_ladder(_FROM_ZERO)
    unprotected = dataclasses.replace(ours, name=UNPROTECTED, protected=False)
    from_zero = (ours, unprotected, ecs_watchbot(_FROM_ZERO))
    if one:
        return (*from_zero, *backlog_trackings(_FROM_ZERO))
    kept = (_kept(watchbot_ladder(_FROM_ONE)), _kept(ecs_watchbot(_FROM_ONE)))
    return (*from_zero, *kept, queue_processing_service(_FROM_ONE), *backlog_trackings(_FROM_ONE))


def _kept(setting: Setting) -> Setting:
    return dataclasses.replace(setting, name=f"{setting.name}, min=1")


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 2)
