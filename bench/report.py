"""What is printed, and what is written as JSON."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.contender import WATCHBOT
from bench.figures import (
    Runs,
    Target,
    best_cpu,
    best_rate,
    median_rate,
    most_requests,
    peak_mib,
    times_as_fast,
)
from bench.race import Run

_VERDICTS = {True: "[green]held[/]", False: "[red]MISSED[/]", None: "[yellow]not measured[/]"}


def course_table(title: str, course: Mapping[str, Sequence[Run]], slots: Mapping[str, int]) -> Table:
    """Show one course: a line for each contender."""
    table = Table(title=title, title_justify="left")
    table.add_column("contender")
    heads = ["at once", "messages", "best msg/s", "median", "watchbot is", "CPU ms/msg", "peak MiB", "requests/msg"]
    for head in heads:
        table.add_column(head, justify="right")
    for name, runs in course.items():
        ratio = times_as_fast(course, name)
        table.add_row(
            name,
            str(slots[name]),
            str(runs[0].messages),
            f"{best_rate(runs):.1f}",
            f"{median_rate(runs):.1f}",
            "" if name == WATCHBOT or ratio is None else f"{ratio:.2f} x",
            f"{best_cpu(runs) * 1000:.2f}",
            f"{peak_mib(runs):.1f}",
            f"{most_requests(runs):.3f}",
        )
    return table


def wait_table(waits: Mapping[str, Sequence[float]]) -> Table:
    """Show how long messages have waited."""
    table = Table(title="publish to worker started, nothing else to do", title_justify="left")
    table.add_column("contender")
    for head in ("samples", "p50 ms", "p90 ms"):
        table.add_column(head, justify="right")
    for name, values in waits.items():
        p90 = statistics.quantiles(values, n=10)[-1]
        table.add_row(name, str(len(values)), f"{statistics.median(values) * 1000:.1f}", f"{p90 * 1000:.1f}")
    return table


def target_table(targets: Sequence[Target]) -> Table:
    """Show what was promised and what was found."""
    table = Table(title="targets", title_justify="left")
    table.add_column("what")
    for head in ("target", "found"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for one in targets:
        sign = "≥" if one.at_least else "≤"
        found = "" if one.value is None else f"{one.value:.2f} {one.unit}".rstrip()
        table.add_row(one.what, f"{sign} {one.bound:g} {one.unit}".rstrip(), found, _VERDICTS[one.held])
    return table


def machine_line(machine: Mapping[str, Any]) -> str:
    """Say in a line where it was measured, and how undisturbed."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    others = machine["used_by_other_programs"]
    return (
        f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}, {versions}; "
        f"other programs used {others:.0%} of the machine meanwhile"
    )


def show(
    console: Console,
    machine: Mapping[str, Any],
    runs: Runs,
    slots: Mapping[str, int],
    waits: Mapping[str, Sequence[float]],
    targets: Sequence[Target],
) -> None:
    """Print everything."""
    for title, course in runs.items():
        console.print(course_table(title, course, slots))
    console.print(wait_table(waits))
    console.print(target_table(targets))
    console.print(machine_line(machine))


def as_json(
    machine: Mapping[str, Any],
    runs: Runs,
    slots: Mapping[str, int],
    waits: Mapping[str, Sequence[float]],
    targets: Sequence[Target],
) -> str:
    """Give every raw figure."""
    return json.dumps(
        {
            "machine": machine,
            "slots": slots,
            "runs": {
                course: {name: [dataclasses.asdict(run) for run in some] for name, some in by_name.items()}
                for course, by_name in runs.items()
            },
            "publish_to_start_seconds": waits,
            "targets": [dataclasses.asdict(one) | {"held": one.held} for one in targets],
        },
        indent=1,
    )
