"""A setting, what came out of it, and what it costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchbot_cli.simulation.cost import Prices, breakdown
from watchbot_cli.simulation.figures import Figures
from watchbot_cli.simulation.queue import MOST_IN_FLIGHT
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import Workload
from watchbot_cli.span import spoken

_WORTH_A_WORD = 0.01


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One simulation."""

    setting: Setting
    figures: Figures
    cost: Mapping[str, float]

    @classmethod
    def of(cls, setting: Setting, workload: Workload, conditions: Conditions, prices: Prices) -> Run:
        """Simulate and price it."""
        figures = simulate(setting, workload, conditions)
        return cls(setting, figures, breakdown(setting, figures, prices))

    @property
    def total(self) -> float:
        """The whole cost in USD."""
        return sum(self.cost.values())

    @property
    def spoken_cost(self) -> str:
        """Say what it costs, and for what, less what is not worth a word."""
        parts = [
            f"{what} {_usd(amount)}" for what, amount in self.cost.items() if amount >= _WORTH_A_WORD * self.total > 0
        ]
        return f"{_usd(self.total)} USD: {', '.join(parts) or 'nothing'}"

    @property
    def notes(self) -> Sequence[str]:
        """Say what to know of the setting, and of what came out."""
        return [*self.setting.notes, *self._held_back(), *self._given_up()]

    def _held_back(self) -> Iterator[str]:
        since = self.figures.held_back_at_seconds
        if since is not None:
            yield (
                f"SQS lets no more than {MOST_IN_FLIGHT:,} messages of a queue be in flight: "
                f"from {spoken(since)} on free workers waited for that"
            )

    def _given_up(self) -> Iterator[str]:
        setting, figures = self.setting, self.figures
        if figures.timed_out:
            longest = spoken(setting.longest_job_seconds)
            yield f"a job may take {longest} at most: {figures.timed_out:,} times one was stopped, and tried again"
        if figures.dead_lettered:
            yield f"dead-lettered after {setting.max_receives} receives, with no job done: {figures.dead_lettered:,}"

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON would hold it; times are in seconds, money in USD."""
        setting, figures = self.setting, self.figures
        return {
            "name": setting.name,
            "isolation": setting.isolation,
            "min": setting.minimum,
            "max": setting.maximum,
            "workers": setting.workers,
            "jobs": figures.jobs,
            "finished": figures.finished,
            "dead_lettered": figures.dead_lettered,
            "wait_seconds": dataclasses.asdict(figures.waits),
            "drain_seconds": figures.drain_seconds,
            "tasks_started": figures.tasks_started,
            "most_running": figures.most_running,
            "killed": figures.killed,
            "interrupted": figures.interrupted,
            "timed_out": figures.timed_out,
            "refused_protection": figures.refused_protection,
            "task_hours": figures.task_hours,
            "cost_usd": {"total": self.total, **self.cost},
            "notes": list(self.notes),
            "timeline": [[one.seconds, one.outstanding, one.running, one.desired] for one in figures.timeline],
        }


def _usd(amount: float) -> str:
    return f"{amount:,.2f}" if amount >= 1 else f"{amount:.2g}"
