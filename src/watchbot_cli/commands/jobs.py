"""``watchbot jobs``."""

from __future__ import annotations

import click

from watchbot.contract import Outcome
from watchbot_cli.examples import Command
from watchbot_cli.options import Target, Time, outcome_options, service_options

_MOST = 10_000


@click.command(
    cls=Command,
    examples=(
        "watchbot jobs --stack Thumbnails",
        "watchbot jobs --stack Thumbnails --failed --since 1d --limit 500",
        "watchbot jobs --stack Thumbnails --json | jq 'select(.duration_seconds > 60)'",
    ),
)
@service_options
@outcome_options
@click.option("--since", type=Time(), default="1h", metavar="TIME", show_default=True, help="How far to look back.")
@click.option(
    "--limit",
    type=click.IntRange(1, _MOST),
    default=50,
    metavar="COUNT",
    show_default=True,
    help=f"So many at most; {_MOST:,} is the most there can be.",
)
def jobs(target: Target, *, as_json: bool, outcomes: frozenset[Outcome], since: float, limit: int) -> int:
    """Print a line for each job that ended, newest first: when it started, what it came to, how long it took.

    Each run counts: a message that failed and came back has several, and its receives say which. With
    Isolation.TASK the task is the worker's, else the one that the process ran in. Searches the log with
    CloudWatch Logs Insights, which costs by what is searched; Ctrl-C stops the search.
    """
    from watchbot_cli.jobs.run import run

    return run(target, outcomes=outcomes, since=since, limit=limit, as_json=as_json)
