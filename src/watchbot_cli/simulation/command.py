"""The command itself: from what was typed to what is printed."""

from __future__ import annotations

import io
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from watchbot.strict_json import dump
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.output import HarmlessConsole, write, write_json
from watchbot_cli.simulation.asked import Asked
from watchbot_cli.simulation.chosen import chosen
from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.costs_table import costs_table
from watchbot_cli.simulation.page import BEGINNING, page
from watchbot_cli.simulation.report import as_json, show
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.setting import Conditions
from watchbot_cli.simulation.workload import LONGEST_SECONDS, Workload, burst, duration_draw, read_trace, steady
from watchbot_cli.span import per_second_of, seconds_of

_DEFAULT_JOBS = 1000
_DEFAULT_FOR = "3h"
_MOST_JOBS = 5_000_000
_WIDTH = 120
_YEARS = range(1970, 2200)
"""Those of a cron expression, which are also such that a date beside them can be."""


def run(asked: Asked) -> None:
    """Simulate and print; raises :class:`CommandError`."""
    prices = Prices.read()
    _check_files(asked)
    workload, conditions = _workload(asked), _conditions(asked)
    runs = [Run.of(setting, workload, conditions, prices) for setting in chosen(asked)]
    if asked.html is not None:
        _write(Path(asked.html), page(runs, workload, prices, asked.conditions))
    if asked.as_json:
        write(dump(as_json(runs, workload, conditions, prices)))
    else:
        show(_console(), runs, workload, prices)


def show_costs(duration: str, task_start: str, *, as_json: bool) -> None:
    """Print what a million messages cost, by isolation and capacity."""
    table = costs_table(_duration(duration), _time(task_start, "--task-start"), Prices.read())
    if as_json:
        write_json(table.to_dict())
    else:
        table.show(_console())


def _console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a drawing in ASCII is no reason to print no figures
    return HarmlessConsole() if sys.stdout.isatty() else HarmlessConsole(width=_WIDTH)


def _workload(asked: Asked) -> Workload:
    rng = random.Random(asked.seed)  # noqa: S311 - a simulation, not a secret
    draw = duration_draw(asked.distribution, _duration(asked.duration), rng)
    kinds = {"--jobs": asked.jobs, "--rate": asked.rate, "--trace": asked.trace}
    given = [name for name, value in kinds.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are workloads of their own: give one of them")
    if asked.rate_for is not None and asked.rate is None:
        raise UsageError(f"--for goes with --rate, got {asked.rate_for!r} without one")
    if asked.trace is not None:
        workload = read_trace(Path(asked.trace), draw)
        _bounded(len(workload.sent), f"--trace {asked.trace}")
        return workload
    if asked.rate is not None:
        return _steady(asked.rate, asked.rate_for or _DEFAULT_FOR, draw, rng)
    jobs = _DEFAULT_JOBS if asked.jobs is None else asked.jobs
    return burst(_bounded(jobs, "--jobs"), draw)


def _steady(rate: str, rate_for: str, draw: Callable[[], float], rng: random.Random) -> Workload:
    per_second, seconds = per_second_of(rate, "--rate"), _positive(rate_for, "--for")
    _bounded(int(per_second * seconds), f"--rate {rate} --for {rate_for}")
    return steady(per_second, seconds, draw, rng)


def _bounded(jobs: int, option: str) -> int:
    if jobs > _MOST_JOBS:
        raise UsageError(f"{option} is {jobs:,} jobs, of which at most {_MOST_JOBS:,} can be simulated")
    return jobs


def _duration(text: str) -> float:
    return _positive(text, "--duration")


def _positive(text: str, option: str) -> float:
    seconds = _time(text, option)
    if not seconds:
        raise UsageError(f"{option} must be above 0, got {text!r}")
    return seconds


def _time(text: str, option: str) -> float:
    seconds = seconds_of(text, option)
    if seconds > LONGEST_SECONDS:
        raise UsageError(f"{option} must be a year at most, got {text!r}")
    return seconds


def _conditions(asked: Asked) -> Conditions:
    if asked.start.year not in _YEARS:
        raise UsageError(
            f"--start must be in the years {_YEARS[0]} to {_YEARS[-1]}, as schedules are, got {asked.start}"
        )
    if math.isnan(asked.spot_interruptions):
        raise UsageError("--spot-interruptions must be a number from 0 to 60, got nan")
    return Conditions(
        seed=asked.seed,
        start=asked.start,
        task_start_seconds=_time(asked.task_start, "--task-start"),
        metric_delay_seconds=_time(asked.metric_delay, "--metric-delay"),
        idle_before_seconds=_time(asked.idle_before, "--idle-before"),
        deploy_at_seconds=tuple(sorted(_time(one, "--deploy-at") for one in asked.deploy_at)),
        spot_interruptions_per_hour=asked.spot_interruptions,
    )


def _check_files(asked: Asked) -> None:
    if [asked.trace, *asked.templates].count("-") > 1:
        raise UsageError("- is standard input, which can be read once: give it once")
    if asked.html is None:
        return
    if asked.html == "-":
        raise UsageError("--html must be the name of a file, got -: standard output has the figures")
    if not _is_page_or_new(Path(asked.html)):
        raise UsageError(f"--html {asked.html} exists, and is no page that simulate wrote: name another file")


def _is_page_or_new(file: Path) -> bool:
    """Whether nothing is lost when a page is written there; whether it can be is seen then."""
    try:
        with file.open("rb") as there:
            beginning = there.read(len(BEGINNING)) if file.is_file() else b""
    except OSError:
        return True
    return beginning in (b"", BEGINNING.encode())


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--html {file} cannot be written: {error.strerror}") from error
