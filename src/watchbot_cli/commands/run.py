"""``watchbot run``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import FileName


@click.command(
    cls=Command,
    examples=(
        'watchbot run --app "python app.py" \'{"zoom": 3}\'',
        "watchbot run --file job.jsonl --receive-count 10",
        "watchbot dead-letter show 7b2c… --json --stack Thumbnails | watchbot run -",
    ),
)
@click.argument("message", required=False)
@click.option(
    "--file", type=FileName(), metavar="FILE", help="A line as send takes it, or a dead letter; - for standard input."
)
@click.option("--app", metavar="COMMAND", help="The CDK app; by default what cdk.json in this folder says.")
@click.option("--service", metavar="ID", help="Which Watchbot, if the app holds several: its id or whole path.")
@click.option(
    "--receive-count",
    type=click.IntRange(1, 1000),
    default=1,
    metavar="COUNT",
    show_default=True,
    help="Which receive of the message it is.",
)
@click.option("--docker", is_flag=True, help="Run a container of the service's image, instead of a local process.")
def run(
    message: str | None, file: str | None, app: str | None, service: str | None, receive_count: int, docker: bool
) -> int:
    """Run the job of one message on this machine, to debug its worker.

    Synthesises the app and runs the worker's command with the environment that the watcher gives it, in the folder of
    its image, once; its queues, tables and buckets are in an AWS embedded in this machine, and no queue of yours is
    touched. The worker has this terminal: its output comes as it is, a debugger can be typed to, Ctrl-C is its own,
    and no timeout stops it. Secrets are taken from environment variables of the same name.

    With --docker the image is built or pulled, and a container of it runs with the service's command, environment and,
    with TASK, its own entry point, on this machine's network.

    With - the message is a line of standard input, as with --file -.

    A payload in S3 that the message points to is read with this shell's AWS settings. What dead-letter show --json and
    export print is run as the message that it was.

    At the end it says what a watcher would do with the outcome. Exit code: 0 when the job succeeded, 1 otherwise, 2
    when asked for something that cannot be.
    """
    from watchbot_cli.running.run import run as run_job

    return run_job(app=app, service=service, message=message, file=file, receive_count=receive_count, docker=docker)
