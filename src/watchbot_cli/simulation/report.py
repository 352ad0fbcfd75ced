"""What the command prints: a table of all runs, the cost of each, and how the first went over time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from watchbot_cli.chart import drawn
from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.figures import Figures
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.setting import Conditions
from watchbot_cli.simulation.workload import Workload
from watchbot_cli.span import spoken

NOT_PRICED = (
    "Not in it: SNS, which delivers to SQS for nothing and takes 0.50 USD for a million publishes; "
    "messages of more than 64 KB, each 64 KB of which SQS counts as a request; workers' own log lines; the dashboard."
)
_JSON_VERSION = 1
_CHART_HEIGHT = 4
_LABEL = 11
_WIDEST = 1000


def as_json(runs: Sequence[Run], workload: Workload, conditions: Conditions, prices: Prices) -> dict[str, Any]:
    """Give everything as JSON would hold it."""
    return {
        "version": _JSON_VERSION,
        "workload": {"jobs": len(workload.sent), "mean_seconds": workload.mean_seconds},
        "conditions": dataclasses.asdict(conditions),
        "prices": {"as_of": prices.as_of, "region": prices.region},
        "runs": [run.to_dict() for run in runs],
    }


def show(console: Console, runs: Sequence[Run], workload: Workload, prices: Prices) -> None:
    """Print for people."""
    jobs = len(workload.sent)
    console.print(f"{jobs:,} jobs of {spoken(workload.mean_seconds)} on average\n")
    _show_figures(console, runs)
    for run in runs:
        console.print(f"{run.setting.name}: {run.spoken_cost}")
        for note in run.notes:
            console.print(f"{run.setting.name}: {note}")
    console.print(f"prices of {prices.region}, {prices.as_of}, without free tiers")
    console.print(f"{NOT_PRICED[0].lower()}{NOT_PRICED[1:-1]}\n")
    for line in _chart(runs[0], console.width):
        console.print(line, no_wrap=True, overflow="crop")


def row(run: Run) -> list[str]:
    """Give the figures of a run as the columns of :data:`COLUMNS`."""
    figures = run.figures
    return [
        run.setting.name,
        spoken(figures.waits.p50),
        spoken(figures.waits.p95),
        spoken(figures.waits.max),
        f"{figures.left:,} jobs left" if figures.drain_seconds is None else spoken(figures.drain_seconds),
        f"{figures.tasks_started:,}",
        f"{figures.most_running:,}",
        _lost(figures),
        f"{figures.task_hours:,.1f}",
        f"{run.total:,.2f}",
    ]


def _lost(figures: Figures) -> str:
    by_spot = f" + {figures.interrupted:,} by Spot" if figures.interrupted else ""
    given_up = f", {figures.dead_lettered:,} dead-lettered" if figures.dead_lettered else ""
    return f"{figures.killed:,}{by_spot}{given_up}"


COLUMNS = ("", "wait p50", "p95", "max", "drained", "tasks", "at once", "jobs killed", "task-hours", "USD")


def _show_figures(console: Console, runs: Sequence[Run]) -> None:
    """Print the table; where it is too wide for the terminal, each run by itself, so that no figure is cut."""
    table = _table(runs)
    if console.measure(table, options=console.options.update(max_width=_WIDEST)).maximum <= console.width:
        console.print(table)
        return
    for run in runs:
        name, *figures = row(run)
        said = ", ".join(f"{column} {figure}" for column, figure in zip(COLUMNS[1:], figures, strict=True))
        console.print(f"{name}: {said}")


def _table(runs: Sequence[Run]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, justify="right" if column else "left", no_wrap=not column)
    for run in runs:
        table.add_row(*row(run))
    return table


def _chart(run: Run, width: int) -> Iterator[str]:
    timeline = run.figures.timeline
    for label, values in (
        ("messages", [float(one.outstanding) for one in timeline]),
        ("tasks", [float(one.running) for one in timeline]),
    ):
        lines = drawn(values, width=max(10, width - _LABEL - 1), height=_CHART_HEIGHT)
        yield f"{max(values, default=0):>{_LABEL - 1},.0f} {lines[0]}"
        for line in lines[1:-1]:
            yield " " * _LABEL + line
        yield f"{label:>{_LABEL - 1}} {lines[-1]}"
    yield " " * _LABEL + f"0 … {spoken(timeline[-1].seconds if timeline else 0.0)}, {run.setting.name}"
