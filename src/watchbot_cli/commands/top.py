"""``watchbot top``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import Target, Time, service_options


@click.command(
    cls=Command,
    examples=("watchbot top --stack Thumbnails", "watchbot top --stack Thumbnails --every 30s"),
)
@click.option("--every", type=Time(), default="5s", show_default=True, metavar="TIME", help="How often it is read.")
@service_options
def top(target: Target, *, every: float, as_json: bool) -> None:
    """Show how a service does, live, until q or Ctrl-C.

    The screen of status, and how the queue has grown since top began. Metrics are read once a minute. While AWS
    throttles or cannot be reached, the last that was read stays on the screen, and why. With --json a line is printed
    each time, and no terminal is needed.
    """
    from watchbot_cli.top.run import top as run

    run(target, every_seconds=every, as_json=as_json)
