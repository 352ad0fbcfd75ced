"""``python -m bench.scaling``: Watchbot's way to scale beside others, simulated."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table as Drawn

from bench.scaling.contest import Entry, Table, contest
from bench.scaling.verdict import broken_promises, changes

_FIGURES = Path(__file__).with_name("figures.json")
_REFERENCE = Path(__file__).with_name("reference.json")
_COLUMNS = ("wait p50, min", "p95", "last job ends", "killed", "task-hours", "another model: p50", "p95", "task-hours")


def main() -> int:
    """Simulate and print; 0 when every promise is held, and with ``--check`` every figure is the committed one."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with figures.json")
    parser.add_argument("--write", action="store_true", help="write figures.json")
    arguments = parser.parse_args()
    table = contest()
    _print(table)
    problems = list(broken_promises(table))
    if arguments.check:
        problems += changes(table, _read())
    for problem in problems:
        print(problem, file=sys.stderr)
    if arguments.write:
        _FIGURES.write_text(json.dumps(_plain(table), indent=2) + "\n")
    return 1 if problems else 0


def _print(table: Table) -> None:
    reference = json.loads(_REFERENCE.read_text())
    drawn = Drawn(box=None, pad_edge=False)
    drawn.add_column("workload and what scales", no_wrap=True)
    for column in _COLUMNS:
        drawn.add_column(column, justify="right")
    for workload, entries in table.items():
        drawn.add_row(workload)
        for name, entry in entries.items():
            other = reference.get(workload, {}).get(name, {})
            drawn.add_row(
                f"  {name}",
                _shown(entry.p50),
                _shown(entry.p95),
                _shown(entry.drained),
                f"{entry.killed:,}",
                f"{entry.task_hours:,.1f}",
                *(str(other.get(what, "")) for what in ("p50", "p95", "task_hours")),
            )
    (Console() if sys.stdout.isatty() else Console(width=140)).print(drawn)


def _shown(minutes: float | None) -> str:
    return "never" if minutes is None else f"{minutes:.1f}"


def _plain(table: Table) -> dict[str, dict[str, object]]:
    return {
        workload: {name: dataclasses.asdict(entry) for name, entry in entries.items()}
        for workload, entries in table.items()
    }


def _read() -> Table:
    plain = json.loads(_FIGURES.read_text())
    return {workload: {name: Entry(**entry) for name, entry in entries.items()} for workload, entries in plain.items()}


if __name__ == "__main__":
    sys.exit(main())
