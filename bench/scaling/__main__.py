"""``python -m bench.scaling``: Watchbot's way to scale beside others, simulated."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Drawn

from bench.scaling.contest import OFFSETS, OURS, QUANTITIES, Entry, Row, Table, contest
from bench.scaling.verdict import Reference, broken_promises, changes, unexplained

_FIGURES = Path(__file__).with_name("figures.json")
_REFERENCE = Path(__file__).with_name("reference.json")
_EXPLAINED = Path(__file__).with_name("explained.json")
_COLUMNS = ("wait p50, min", "p95", "last job ends", "killed", "task-hours")


def main() -> int:
    """Simulate and print; 0 when every promise is held and every difference explained, and with ``--check`` every
    figure is the committed one.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.scaling", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with figures.json")
    parser.add_argument("--write", action="store_true", help="write figures.json, and print the page's rows of it")
    arguments = parser.parse_args()
    table, reference = contest(), read_reference()
    _print(table, reference)
    problems = [*broken_promises(table), *unexplained(table, reference, read_explained())]
    if arguments.check:
        problems += changes(table, read_figures())
    for problem in problems:
        print(problem, file=sys.stderr)
    if arguments.write:
        _FIGURES.write_text(_written(table))
        print(page_rows(table))
    return 1 if problems else 0


def read_figures() -> Table:
    """Read the committed figures."""
    plain = json.loads(_FIGURES.read_text())
    return {workload: {name: _row(row) for name, row in rows.items()} for workload, rows in plain.items()}


def read_reference() -> Reference:
    """Read what another model found."""
    found: Reference = json.loads(_REFERENCE.read_text())
    return found


def read_explained() -> Mapping[str, str]:
    """Read why which of its figures are others."""
    found: Mapping[str, str] = json.loads(_EXPLAINED.read_text())
    return found


def _row(plain: Mapping[str, Any]) -> Row:
    entries = zip(*(plain[quantity] for quantity in QUANTITIES), strict=True)
    return Row(plain["min"], [Entry(*entry) for entry in entries])


def _written(table: Table) -> str:
    """Write a line for each way to scale: its minimum, and each quantity at every offset."""
    workloads = []
    for workload, rows in table.items():
        lines = [f"    {json.dumps(name)}: {json.dumps(_plain(row))}" for name, row in rows.items()]
        workloads.append(f"  {json.dumps(workload)}: {{\n" + ",\n".join(lines) + "\n  }")
    return "{\n" + ",\n".join(workloads) + "\n}\n"


def _plain(row: Row) -> Mapping[str, object]:
    return {"min": row.minimum, **{quantity: row.values(quantity) for quantity in QUANTITIES}}


def _print(table: Table, reference: Reference) -> None:
    print(f"means of workloads that begin {', '.join(f'{one:g}' for one in OFFSETS)} s after a metric; below, what")
    print("another model found, which begins just before one")
    drawn = Drawn(box=None, pad_edge=False)
    drawn.add_column("workload and what scales", no_wrap=True)
    drawn.add_column("from", justify="right")
    for column in _COLUMNS:
        drawn.add_column(column, justify="right")
    for workload, rows in table.items():
        drawn.add_row(workload)
        for name, row in rows.items():
            drawn.add_row(f"  {name}", str(row.minimum), *shown(row))
            other = reference.get(workload, {}).get(name)
            if other is not None:
                drawn.add_row("", "", *(_said(other.get(quantity, "")) for quantity in QUANTITIES), style="dim")
    (Console() if sys.stdout.isatty() else Console(width=140)).print(drawn)


def shown(row: Row) -> Sequence[str]:
    """Say the means; of jobs killed the least and the most, as they are a matter of chance."""
    means = {quantity: row.mean(quantity) for quantity in QUANTITIES}
    killed = sorted(entry.killed for entry in row.entries)
    range_of_killed = f"{killed[0]:,}" if killed[0] == killed[-1] else f"{killed[0]:,} to {killed[-1]:,}"
    return [range_of_killed if quantity == "killed" else _mean(means[quantity]) for quantity in QUANTITIES]


def page_rows(table: Table) -> str:
    """Write the means as the rows of docs/simulation.md, ours in bold."""
    lines = []
    for workload, rows in table.items():
        shown_workload = workload.replace(" x ", " \N{MULTIPLICATION SIGN} ")
        for name, row in rows.items():
            cells = [name, str(row.minimum), *shown(row)]
            cells = [f"**{cell}**" for cell in cells] if name in OURS else cells
            lines.append(f"| {' | '.join([shown_workload, *cells])} |".replace("|  |", "| |"))
            shown_workload = ""
    return "\n".join(lines) + "\n"


def _mean(value: float | None) -> str:
    return "never" if value is None else f"{value:,.1f}"


def _said(figure: float | str | Sequence[float]) -> str:
    return " to ".join(f"{one:,}" for one in figure) if isinstance(figure, list) else str(figure)


if __name__ == "__main__":
    sys.exit(main())
