"""``watchbot COMMAND …``."""

from __future__ import annotations

import sys
from typing import Any

import click

from watchbot import __version__
from watchbot_cli.errors import CommandError
from watchbot_cli.simulation.workload import DISTRIBUTIONS

_TIME = "TIME"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="watchbot")
def cli() -> None:
    """Run and look after Watchbot services.

    \b
    Example: run an app's service on this machine, with an AWS of its own
      watchbot local --app "python app.py" --send jobs.jsonl --until-empty
    """  # noqa: D301 - click reads the backspace, which keeps the lines below as they are


@cli.command()
@click.option("--app", metavar="COMMAND", help="The CDK app; by default what cdk.json in this folder says.")
@click.option("--service", metavar="ID", help="Run only this Watchbot: its construct id or its whole path.")
@click.option("--send", metavar="FILE", help="Publish each line of this file (- for standard input) to the topic.")
@click.option("--until-empty", is_flag=True, help="Stop when the queue has drained, and print a summary.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def local(app: str | None, service: str | None, send: str | None, until_empty: bool, as_json: bool) -> None:
    """Run an app's Watchbots on this machine.

    Synthesises the app, starts an AWS embedded in this machine, creates the queues, topics, tables and buckets of the
    template there, and runs the real watcher with the template's own settings. The worker's command runs as a local
    process, in the folder of its image. Needs no Docker, no AWS account and no network. Secrets are taken from
    environment variables of the same name.

    A line to send is a JSON object with Message and, if wanted, Subject, MessageAttributes, MessageGroupId and
    MessageDeduplicationId; or any text, which then is the message. Messages to a FIFO topic without a group share one.

    Exit code: 0 when nothing was dead-lettered, 1 otherwise, 2 when asked for something that cannot be.

    \b
    Examples:
      watchbot local --app "python app.py"
      watchbot local --app "python app.py" --send jobs.jsonl --until-empty
      seq 100 | watchbot local --service svc --send - --until-empty --json
    """  # noqa: D301 - click reads the backspace, which keeps the lines below as they are
    # Imported late: boto3 takes longer to load than help may take to print.
    from watchbot_cli.local.run import run

    sys.exit(run(app=app, service=service, send=send, until_empty=until_empty, as_json=as_json))


@cli.command()
@click.option("--app", metavar="COMMAND", help="The CDK app; by default what cdk.json in this folder says.")
@click.option(
    "--template", "templates", metavar="FILE", multiple=True, help="A synthesised template instead; several compare."
)
@click.option("--service", metavar="ID", help="The service: its construct id, its whole path, or its logical id.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="So many jobs at once; 1,000 by default.")
@click.option("--duration", default="60", metavar=_TIME, show_default=True, help="How long a job takes.")
@click.option("--distribution", type=click.Choice(DISTRIBUTIONS), default="fixed", help="Of durations.")
@click.option("--rate", metavar="N/UNIT", help="Jobs at random times at a rate instead, such as 5/min.")
@click.option("--for", "rate_for", default="3h", metavar=_TIME, show_default=True, help="For how long, with --rate.")
@click.option("--trace", metavar="FILE.csv", help="Jobs from a file instead: seconds[,duration in seconds].")
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
@click.option("--min", "minimum", type=click.IntRange(min=0), help="Instead of the template's minimum of tasks.")
@click.option("--max", "maximum", type=click.IntRange(min=1), help="Instead of the template's maximum of tasks.")
@click.option("--workers", type=click.IntRange(min=1), help="Instead of the template's workers of a task.")
@click.option("--compare", is_flag=True, help="Put other ways to scale the same service beside it.")
@click.option("--costs", is_flag=True, help="Only print what a million messages cost, by isolation and capacity.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.option("--html", metavar="FILE", help="Write a page with charts as well.")
def simulate(*, costs: bool, **asked: Any) -> None:
    """See what a scaling setting does with a workload before it is deployed.

    Reads the service's policies, alarms, limits, workers and size from the synthesised template, and plays a workload
    on them in virtual time: minutes of metrics, alarms, cooldowns, launches, protection, deployments and Spot. Prints
    how long jobs wait, when the last one ends, how many are killed, task-hours, and what it costs in us-east-1.
    Needs no AWS account. Times are in seconds, or have a unit: 90, 5min, 3h.

    Exit code: 0 when simulated, 2 when asked for something that cannot be.

    \b
    Examples:
      watchbot simulate --app "python app.py" --jobs 1000 --duration 60 --compare
      watchbot simulate --template cdk.out/Thumbnails.template.json --rate 5/min --for 3h --duration 2min
      watchbot simulate --trace arrivals.csv --deploy-at 30min --html simulation.html
      watchbot simulate --costs --duration 1
    """  # noqa: D301 - click reads the backspace, which keeps the lines below as they are
    from watchbot_cli.simulation.command import Asked, run, show_costs

    if costs:
        show_costs(asked["duration"], asked["task_start"], as_json=asked["as_json"])
    else:
        run(Asked(**asked))


def main() -> None:
    """Run the command line; whatever is the matter is said in a sentence."""
    try:
        cli()
    except CommandError as error:
        click.echo(f"watchbot: {error}", err=True)
        sys.exit(error.exit_code)
