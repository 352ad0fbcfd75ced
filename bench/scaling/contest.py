"""Four workloads, each on every way to scale: at most 100 tasks of one slot."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from watchbot_cli.simulation.figures import Figures
from watchbot_cli.simulation.peers import backlog_trackings, ecs_watchbot, queue_processing_service, watchbot_ladder
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import Workload, burst, steady

OURS = "watchbot"
UNPROTECTED = "watchbot, unprotected"
_ONE = "1 x 60 s"
_SERVICE = Setting(name="service", minimum=0, maximum=100)


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What is compared: times in minutes; None where no job started, or not all ended."""

    p50: float | None
    p95: float | None
    drained: float | None
    killed: int
    task_hours: float

    @classmethod
    def of(cls, figures: Figures) -> Entry:
        """Take it out of a simulation's figures."""
        waits, drain = figures.waits, figures.drain_seconds
        return cls(
            _minutes(waits.p50), _minutes(waits.p95), _minutes(drain), figures.killed, round(figures.task_hours, 2)
        )


Table = Mapping[str, Mapping[str, Entry]]
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
        name: {
            setting.name: Entry.of(simulate(setting, workload, Conditions())) for setting in _settings(one=name == _ONE)
        }
        for name, workload in workloads().items()
    }


def _settings(*, one: bool) -> Sequence[Setting]:
    """Give what scales; target tracking begins with a task, without which it seldom begins at all.

    One message is for those that scale from zero: whoever keeps a task needs none.
    """
    ours = watchbot_ladder(_SERVICE)
    unprotected = dataclasses.replace(ours, name=UNPROTECTED, protected=False)
    from_one = dataclasses.replace(_SERVICE, minimum=1)
    always_on = () if one else (queue_processing_service(_SERVICE),)
    return (
        ours,
        unprotected,
        ecs_watchbot(_SERVICE),
        *always_on,
        *backlog_trackings(_SERVICE if one else from_one),
    )


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 2)
