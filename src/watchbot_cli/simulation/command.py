"""The command itself: from what was typed to what is printed."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import math
import random
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from watchbot_cli.assembly import synthesise
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.output import write, write_json
from watchbot_cli.simulation.cost import Prices
from watchbot_cli.simulation.costs_table import costs_table
from watchbot_cli.simulation.page import page
from watchbot_cli.simulation.peers import MOST_TASKS, peers
from watchbot_cli.simulation.report import as_json, show
from watchbot_cli.simulation.resizing import resized
from watchbot_cli.simulation.run import Run
from watchbot_cli.simulation.service_template import find_setting
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.workload import LONGEST_SECONDS, Workload, burst, duration_draw, read_trace, steady
from watchbot_cli.span import per_second_of, seconds_of

_DEFAULT_JOBS = 1000
_DEFAULT_FOR = "3h"
_MOST_JOBS = 5_000_000
_MOST_WORKERS = 1000
"""Of one watcher, as its settings say."""
_WIDTH = 120
_YEARS = range(1970, 2200)
"""Those of a cron expression, which are also such that a date beside them can be."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was typed."""

    app: str | None
    templates: Sequence[str]
    service: str | None
    jobs: int | None
    duration: str
    rate: str | None
    rate_for: str | None
    trace: str | None
    distribution: str
    seed: int
    start: datetime.datetime
    task_start: str
    metric_delay: str
    idle_before: str
    deploy_at: Sequence[str]
    spot_interruptions: float
    minimum: int | None
    maximum: int | None
    workers: int | None
    compare: bool
    as_json: bool
    html: str | None


def run(asked: Asked) -> None:
    """Simulate and print; raises :class:`CommandError`."""
    prices = Prices.read()
    workload, conditions = _workload(asked), _conditions(asked)
    settings = [_overridden(setting, asked) for setting in _settings(asked)]
    if asked.compare:
        settings += peers(settings[0])
    runs = [Run.of(setting, workload, conditions, prices) for setting in settings]
    if asked.html is not None:
        _write(Path(asked.html), page(runs, workload, prices))
    if asked.as_json:
        write(json.dumps(as_json(runs, workload, conditions, prices), default=str))
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
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def _settings(asked: Asked) -> list[Setting]:
    if asked.templates and asked.app is not None:
        raise UsageError("--app and --template are two ways to name a service: give one of them")
    if not asked.templates:
        with tempfile.TemporaryDirectory(prefix="watchbot-simulate-") as folder:
            return [find_setting(synthesise(asked.app, Path(folder)).templates, asked.service)]
    found = [find_setting({Path(file).stem: _template(file)}, asked.service) for file in asked.templates]
    if len(found) == 1:
        return found
    return [dataclasses.replace(one, name=file) for one, file in zip(found, asked.templates, strict=True)]


def _template(file: str) -> Mapping[str, Any]:
    try:
        body = json.loads(Path(file).read_text())
    except OSError as error:
        raise UsageError(f"--template {file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"--template {file} is no JSON, as cdk synth writes it into cdk.out: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
        raise UsageError(f"--template {file} is no CloudFormation template: it has no Resources")
    return body


def _overridden(setting: Setting, asked: Asked) -> Setting:
    """Apply ``--min``, ``--max`` and ``--workers``: the steps become those that Scaling synthesises for them."""
    _limited("--max", asked.maximum, MOST_TASKS)
    _limited("--min", asked.minimum, MOST_TASKS)
    _limited("--workers", asked.workers, _MOST_WORKERS)
    minimum = setting.minimum if asked.minimum is None else asked.minimum
    maximum = max(setting.maximum, minimum) if asked.maximum is None else asked.maximum
    if minimum > maximum:
        raise UsageError(f"--min must be at most the maximum, which is {maximum}, got {minimum}")
    workers = setting.workers if asked.workers is None else asked.workers
    found = resized(dataclasses.replace(setting, minimum=minimum, maximum=maximum, workers=workers), setting)
    if asked.spot_interruptions and not setting.spot_share:
        note = "no job runs on Spot, so --spot-interruptions change nothing"
        return dataclasses.replace(found, notes=(*found.notes, note))
    return found


def _limited(option: str, value: int | None, most: int) -> None:
    if value is not None and value > most:
        raise UsageError(f"{option} must be at most {most:,}, got {value:,}")


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


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--html {file} cannot be written: {error.strerror}") from error
