"""``watchbot status``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import Target, service_options


@click.command(
    cls=Command,
    examples=("watchbot status --stack Thumbnails", "watchbot status --stack Thumbnails --json | jq .queue"),
)
@service_options
def status(target: Target, *, as_json: bool) -> None:
    """Show how a service does, on one screen.

    Its queue, dead letters, watchers and workers; whether it is paused or being deployed; the rates and durations of
    the last hour; and its alarms in ALARM, with what to do. What cannot be read in seconds is said in its place, and so
    is a stack that is being changed or deleted.
    """
    from watchbot_cli.status.run import status as run

    run(target, as_json=as_json)
