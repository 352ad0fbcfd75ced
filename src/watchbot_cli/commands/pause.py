"""``watchbot pause``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import Target, service_options


@click.command(cls=Command, examples=("watchbot pause --stack Thumbnails",))
@service_options
def pause(target: Target, *, as_json: bool) -> None:
    """Receive no more messages until resume, without a deployment.

    The service goes down to no watchers and its scaling is suspended. Processes that work are protected and finish.
    Tasks run on, and are taken up again on resume if they ended within about the last hour: ECS forgets them then, and
    their jobs run again. What to go back to is a tag on the ECS service: pausing twice is pausing once, and a command
    that was cut off is run again.
    """
    from watchbot_cli.pausing.run import pause as run

    run(target, as_json=as_json)
