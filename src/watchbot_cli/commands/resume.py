"""``watchbot resume``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import Target, service_options


@click.command(cls=Command, examples=("watchbot resume --stack Thumbnails",))
@service_options
def resume(target: Target, *, as_json: bool) -> None:
    """Receive messages again after pause: watchers and scaling are as they were before it.

    A command that was cut off is run again; a service that is not paused is left alone.
    """
    from watchbot_cli.pausing.run import resume as run

    run(target, as_json=as_json)
