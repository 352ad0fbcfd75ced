"""What was found, as tables for people and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Target
from bench.report import machine_line, target_table
from bench.scale.figures import quantile, reads_a_second, requests_a_task
from bench.scale.limits import READS_A_SECOND
from bench.scale.scenario import Findings


def findings_table(findings: Sequence[Findings]) -> Table:
    """Show everything side by side."""
    table = Table(title="tasks at once", title_justify="left")
    table.add_column("")
    for found in findings:
        table.add_column(found.scenario.title, justify="right")
    shown = [_lines(found) for found in findings]
    for name in shown[0]:
        table.add_row(name, *(lines[name] for lines in shown))
    return table


def _lines(found: Findings) -> dict[str, str]:
    waits, percent = found.waits, [share * 100 for share in found.cpu_shares]
    return {
        "watchers, slots of each": f"{found.scenario.watchers}, {found.scenario.workers}",
        "all launched or adopted after": f"{found.ready_seconds:.0f} s",
        "measured for": f"{found.seconds:.0f} s",
        "tasks settled in it": str(len(waits)),
        "CPU of a watcher, % of a core": f"{min(percent):.1f} to {max(percent):.1f}",
        "peak memory of a watcher": f"{max(found.peak_bytes) / 2**20:.1f} MiB",
        "threads of a watcher": str(max(found.threads)),
        "end of a task to its settlement, p50": f"{quantile(waits, 0.5):.1f} s",
        "… p95": f"{quantile(waits, 0.95):.1f} s",
        "… longest": f"{max(waits, default=0):.1f} s",
        "reads of ECS": f"{reads_a_second(found):.1f}/s of {READS_A_SECOND}",
        "… most in a second": str(found.most_reads),
        "requests for a task settled": f"{requests_a_task(found):.1f}",
        "throttled meanwhile": _counts(found.throttled),
        "throttled before": _counts(found.throttled_before),
        "messages by number of runs": _counts(found.runs),
        "drained in": f"{max(found.drain_seconds):.1f} s",
    }


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) or "none"


def show(console: Console, machine: Mapping[str, Any], findings: Sequence[Findings], targets: Sequence[Target]) -> None:
    """Print everything."""
    console.print(findings_table(findings))
    console.print(target_table(targets))
    console.print(machine_line(machine))


def as_json(machine: Mapping[str, Any], findings: Sequence[Findings], targets: Sequence[Target]) -> str:
    """Give every raw figure."""
    return json.dumps(
        {
            "machine": machine,
            "scenarios": [dataclasses.asdict(found) for found in findings],
            "targets": [dataclasses.asdict(one) | {"held": one.held} for one in targets],
        },
        indent=1,
    )
