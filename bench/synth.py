"""``python -m bench.synth``: how long a hundred services take to synthesise, beside CDK's own queue service.

Each run is a process, from the start of Python to the cloud assembly. All kinds have ten services in a stack, which
CloudFormation gives 500 resources, in a cluster of the stack, with an image that is in a registry.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Target
from bench.machine import OtherPrograms, facts
from bench.report import machine_line, target_table

PEER, TASK, PROCESS = "peer", "task", "process"
KINDS = (PEER, TASK, PROCESS)
_SERVICES, _ROUNDS = 100, 3
_MOST_TIMES = 1.5
_MOST_RESOURCES = 31
_WIDTH = 130


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, what its processors did, and what each service came to."""

    seconds: float
    cpu_seconds: float
    calls: float
    resources: float


def synthesise(kind: str, services: int) -> Run:
    """Have a process synthesise services of this kind."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        before, began_at = os.times(), time.perf_counter()
        command = [sys.executable, "-m", "bench.synth_app", kind, str(services), folder]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        seconds, after = time.perf_counter() - began_at, os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Run(seconds, cpu, **json.loads(done.stdout.splitlines()[-1]))


def targets(runs: Mapping[str, Sequence[Run]]) -> list[Target]:
    """Judge what was promised."""
    peer = best(runs[PEER]).seconds
    times = [(f"synthesis of {kind} over the peer", best(runs[kind]).seconds / peer) for kind in (TASK, PROCESS)]
    return [
        *(Target(what, value, _MOST_TIMES, "x", at_least=False) for what, value in times),
        Target("resources of a process service", runs[PROCESS][0].resources, _MOST_RESOURCES, "", at_least=False),
    ]


def best(runs: Sequence[Run]) -> Run:
    """Give the fastest."""
    return min(runs, key=lambda run: run.seconds)


def show(console: Console, machine: Mapping[str, Any], runs: Mapping[str, Sequence[Run]], services: int) -> None:
    """Print a line for each kind, and the targets."""
    table = Table(title=f"{services} services in one app", title_justify="left")
    for head in ("kind", "best s", "times the peer", "CPU s", "times the peer", "jsii calls each", "resources each"):
        table.add_column(head)
    peer, least = best(runs[PEER]).seconds, min(run.cpu_seconds for run in runs[PEER])
    for kind, its in runs.items():
        seconds, cpu = best(its).seconds, min(run.cpu_seconds for run in its)
        figures = (f"{seconds:.1f}", f"{seconds / peer:.2f}", f"{cpu:.1f}", f"{cpu / least:.2f}")
        table.add_row(kind, *figures, f"{its[0].calls:.0f}", f"{its[0].resources:g}")
    console.print(table)
    console.print(target_table(targets(runs)))
    console.print(machine_line(machine))


def main() -> int:
    """Measure and report; 0 when every target is held, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.synth", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="ten services once, to see that it works; no figures to quote"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every raw figure to FILE")
    arguments = parser.parse_args()
    services, rounds = (10, 1) if arguments.quick else (_SERVICES, _ROUNDS)
    machine, others = facts(("aws-cdk-lib", "jsii"), {}), OtherPrograms()
    runs: dict[str, list[Run]] = {kind: [] for kind in KINDS}
    with Console(stderr=True).status("") as status:
        for number in range(rounds):
            for kind in KINDS:
                status.update(f"{kind}, {number + 1} of {rounds}")
                runs[kind].append(synthesise(kind, services))
    machine["used_by_other_programs"] = others.share()
    show(Console() if sys.stdout.isatty() else Console(width=_WIDTH), machine, runs, services)
    if arguments.json is not None:
        raw = {kind: [dataclasses.asdict(run) for run in its] for kind, its in runs.items()}
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({"machine": machine, "runs": raw}, indent=1) + "\n")
    return 1 if any(one.held is False for one in targets(runs)) else 0


if __name__ == "__main__":
    sys.exit(main())
