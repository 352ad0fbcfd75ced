"""``python -m bench.scaling.real``: the simulator beside real watchers on the embedded AWS, in compressed time."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.machine import OtherPrograms, facts
from bench.scaling.real.outcome import COMPARED, MOST_APART, Outcome, apart
from bench.scaling.real.play import play
from watchbot_cli.assembly import synthesise
from watchbot_cli.simulation.service_template import find_setting
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import Workload, burst, steady

_APP = Path(__file__).with_name("app.py")
_WIDTH = 120
WORKLOADS: Mapping[str, Workload] = {
    "120 x 60 s": burst(120, lambda: 60),
    "10/min x 60 s, 15 min": steady(10 / 60, 15 * 60, lambda: 60),
}


def main() -> int:
    """Play and compare; 0 when every figure of the simulator is near enough to the real one."""
    parser = argparse.ArgumentParser(prog="python -m bench.scaling.real", description=__doc__)
    parser.add_argument("--minute", metavar="SECONDS", type=float, default=6.0, help="how long a minute takes (6)")
    parser.add_argument("--times", metavar="N", type=int, default=3, help="how often each workload is played (3)")
    parser.add_argument("--workload", choices=WORKLOADS, action="append", help="only this one")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every figure to FILE")
    arguments = parser.parse_args()
    setting, conditions, others = _setting(), Conditions(), OtherPrograms()
    found: dict[str, tuple[Outcome, Sequence[Outcome]]] = {}
    with tempfile.TemporaryDirectory(prefix="watchbot-real-") as folder:
        for name in arguments.workload or WORKLOADS:
            workload = WORKLOADS[name]
            simulated = Outcome.of_figures(simulate(setting, workload, conditions))
            places = [Path(folder) / f"{name.partition(' ')[0].replace('/', '-')}-{n}" for n in range(arguments.times)]
            real = [play(setting, workload, conditions, arguments.minute / 60, place) for place in places]
            found[name] = simulated, real
    (Console() if sys.stdout.isatty() else Console(width=_WIDTH)).print(_table(found))
    machine = {**facts(("watchbot-runtime", "ministack"), {}), "used_by_other_programs": others.share()}
    print(f"{machine['cores']} cores, of which other programs used {machine['used_by_other_programs']:.0%}")
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps({"machine": machine, "workloads": _plain(found)}, indent=2) + "\n")
    return _verdict(found)


def _setting() -> Setting:
    with tempfile.TemporaryDirectory(prefix="watchbot-real-") as folder:
        templates = synthesise(shlex.join([sys.executable, str(_APP)]), Path(folder)).templates
    return find_setting(templates, None)


def _table(found: Mapping[str, tuple[Outcome, Sequence[Outcome]]]) -> Table:
    drawn = Table(box=None, pad_edge=False)
    drawn.add_column("workload", no_wrap=True)
    for column in ("wait p50, min", "p95", "drained", "task-hours", "repeated", "start late, s", "furthest apart"):
        drawn.add_column(column, justify="right")
    for workload, (simulated, real) in found.items():
        drawn.add_row(workload)
        drawn.add_row("  simulated", *_cells(simulated))
        for one in real:
            furthest = max(apart(one, simulated), key=lambda pair: abs(pair[1]))
            drawn.add_row("  real", *_cells(one), f"{furthest[0]} {furthest[1]:+.1%}")
    return drawn


def _cells(one: Outcome) -> Sequence[str]:
    return [*(f"{getattr(one, name):.2f}" for name in COMPARED), str(one.repeated), f"{one.late_seconds:.1f}"]


def _plain(found: Mapping[str, tuple[Outcome, Sequence[Outcome]]]) -> Mapping[str, object]:
    return {
        name: {"simulated": dataclasses.asdict(simulated), "real": [dataclasses.asdict(one) for one in real]}
        for name, (simulated, real) in found.items()
    }


def _verdict(found: Mapping[str, tuple[Outcome, Sequence[Outcome]]]) -> int:
    problems = [
        problem for workload, (simulated, real) in found.items() for problem in _wrong(workload, simulated, real)
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _wrong(workload: str, simulated: Outcome, real: Sequence[Outcome]) -> Iterator[str]:
    for one in real:
        for name, share in apart(one, simulated):
            if abs(share) > MOST_APART:
                yield f"{workload}: simulated {name} is {share:+.1%} of the real one apart"
        if one.repeated:
            yield f"{workload}: {one.repeated} jobs ran more than once"


if __name__ == "__main__":
    sys.exit(main())
