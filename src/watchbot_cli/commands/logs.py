"""``watchbot logs``."""

from __future__ import annotations

import click

from watchbot.contract import Outcome
from watchbot_cli.errors import UsageError
from watchbot_cli.examples import Command
from watchbot_cli.options import Target, Time, outcome_options, service_options


@click.command(
    cls=Command,
    examples=(
        "watchbot logs --stack Thumbnails --follow",
        "watchbot logs --stack Thumbnails --message-id 7b2c8a4e-3f60-4d5e-9a51-0c6f2d1e8b97",
        "watchbot logs --stack Thumbnails --failed --since 1h",
        "watchbot logs --stack Thumbnails --since 1h --json | jq .message",
    ),
)
@service_options
@click.option("--follow", "-f", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--message-id", metavar="ID", help="What was written about one message, by its tasks, too.")
@outcome_options
@click.option(
    "--since", type=Time(), metavar="TIME", help="How far to look back: 90s, 15m, 2h; 10m, or 1d with --message-id."
)
def logs(
    target: Target,
    *,
    as_json: bool,
    follow: bool,
    message_id: str | None,
    outcomes: frozenset[Outcome],
    since: float | None,
) -> int:
    """Print what watchers and workers wrote, oldest first: time, how the message's id begins, text.

    With --outcome or --failed the lines that say how jobs ended: job.finished, with its reason. Following looks every
    two seconds and shows each line once, a late one when it comes; it waits out throttling and a lost network. Ctrl-C
    ends it, with exit code 0.
    """
    from watchbot_cli.logs.run import Asked, run

    if message_id is not None and outcomes:
        raise UsageError("--message-id prints everything about one message: leave out --outcome and --failed")
    return run(target, Asked(message_id, outcomes, since, follow, as_json))
