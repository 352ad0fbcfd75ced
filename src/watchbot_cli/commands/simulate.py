"""``watchbot simulate``."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from watchbot_cli.errors import UsageError
from watchbot_cli.examples import Command
from watchbot_cli.options import FileName
from watchbot_cli.simulation.workload import DISTRIBUTIONS

_TIME = "TIME"
_OF_COSTS = ("costs", "duration", "task_start", "as_json")


@click.command(
    cls=Command,
    examples=(
        'watchbot simulate --app "python app.py" --jobs 1000 --duration 60 --compare',
        "watchbot simulate --template cdk.out/Thumbnails.template.json --rate 5/min --for 3h --duration 2min",
        "watchbot simulate --trace arrivals.csv --deploy-at 30min --html simulation.html",
        "watchbot simulate --costs --duration 1",
    ),
)
@click.option("--app", metavar="COMMAND", help="The CDK app; by default what cdk.json in this folder says.")
@click.option(
    "--template",
    "templates",
    type=FileName(),
    metavar="FILE",
    multiple=True,
    help="A synthesised template instead (- for standard input); several compare.",
)
@click.option("--service", metavar="ID", help="The service: its construct id, its whole path, or its logical id.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="So many jobs at once; 1,000 by default.")
@click.option("--duration", default="60", metavar=_TIME, show_default=True, help="How long a job takes.")
@click.option("--distribution", type=click.Choice(DISTRIBUTIONS), default="fixed", help="Of durations.")
@click.option("--rate", metavar="N/UNIT", help="Jobs at random times at a rate instead, such as 5/min.")
@click.option("--for", "rate_for", metavar=_TIME, help="For how long, with --rate; 3h by default.")
@click.option(
    "--trace",
    type=FileName(),
    metavar="FILE.csv",
    help="Jobs from a file (- for standard input): a line is seconds, or a date, and if wanted the seconds it takes.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="What is random is drawn from it.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%dT%H:%M"]),
    default="2026-01-05T00:00",
    metavar="DATE",
    show_default=True,
    help="When the workload starts, for scheduled minima.",
)
@click.option("--task-start", default="45", metavar=_TIME, show_default=True, help="From launching to running.")
@click.option("--metric-delay", default="60", metavar=_TIME, show_default=True, help="Until alarms see a metric.")
@click.option("--idle-before", default="0", metavar=_TIME, show_default=True, help="Nobody used the queue so long.")
@click.option("--deploy-at", metavar=_TIME, multiple=True, help="Deploy the service then; may be given often.")
@click.option(
    "--spot-interruptions",
    type=click.FloatRange(min=0, max=60),
    default=0.0,
    metavar="PER_HOUR",
    show_default=True,
    help="How often Spot takes a task back, for each task on Spot.",
)
@click.option(
    "--min", "minima", type=click.IntRange(min=0), multiple=True, help="Instead of the template's minimum of tasks."
)
@click.option(
    "--max",
    "maxima",
    type=click.IntRange(min=1),
    multiple=True,
    help="Instead of the template's maximum of tasks; several compare.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    multiple=True,
    help="Instead of the template's workers of a task; several compare.",
)
@click.option("--compare", is_flag=True, help="Put other ways to scale the same service beside it.")
@click.option("--costs", is_flag=True, help="Only print what a million messages cost, by isolation and capacity.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.option("--html", type=FileName(), metavar="FILE", help="Write a page with charts as well, over no other file.")
def simulate(*, costs: bool, **asked: Any) -> None:
    """See what a scaling setting does with a workload before it is deployed.

    Reads the service's policies, alarms, limits, workers and size from the synthesised template, and plays a workload
    on them in virtual time: minutes of metrics, alarms, cooldowns, launches, protection, deployments and Spot. Prints
    how long jobs wait, when the last one ends, how many are killed, task-hours, and what it costs in us-east-1.
    Needs no AWS account. Times are in seconds, or have a unit: 90, 5min, 3h. In the JSON times are seconds and money is
    USD; timeline has a line for each minute: seconds, messages outstanding, tasks running, tasks desired.

    Exit code: 0 when simulated, 2 when asked for something that cannot be.
    """
    from watchbot_cli.simulation.asked import Asked
    from watchbot_cli.simulation.command import run, show_costs

    if costs:
        _only_costs(click.get_current_context())
        show_costs(asked["duration"], asked["task_start"], as_json=asked["as_json"])
    else:
        run(Asked(**asked))


def _only_costs(context: click.Context) -> None:
    """Refuse what a table of costs does not depend on."""
    for option in context.command.params:
        name = option.name or ""
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE and name not in _OF_COSTS:
            raise UsageError(
                f"--costs goes with --duration, --task-start and --json only, got {option.opts[0]}: "
                "its tasks are always the smallest that Fargate has"
            )
