"""``watchbot init``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command


@click.command(cls=Command, examples=("watchbot init thumbnails",))
@click.argument("folder", metavar="DIR", type=click.Path())
def init(folder: str) -> None:
    """Make a new service: a CDK app, a worker with its Dockerfile, tests of both, and jobs to try it with.

    The folder must be new, or have nothing in it but a Git repository; its stack is called after it. The service runs
    at once with watchbot local, and is deployed with cdk deploy.
    """
    from watchbot_cli.new_service import init as make

    make(folder)
