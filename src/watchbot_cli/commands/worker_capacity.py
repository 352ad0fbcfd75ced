"""``watchbot worker-capacity``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import Target, service_options


@click.command(
    "worker-capacity",
    cls=Command,
    examples=(
        "watchbot worker-capacity --stack Thumbnails",
        "watchbot worker-capacity --stack Thumbnails --json | jq .workers",
    ),
)
@service_options
def worker_capacity(target: Target, *, as_json: bool) -> int:
    """Tell how many more workers there is room for now.

    On instances: for each, how often what a worker's task reserves of CPU, memory and GPUs fits into what is left, with
    its host ports and placement constraints. On Fargate: what the account's quota of vCPU leaves. What is not counted
    is said on standard error.

    The exit code is 0 only if it is known of every place where workers may run.
    """
    from watchbot_cli.room.run import worker_capacity as run

    return run(target, as_json=as_json)
