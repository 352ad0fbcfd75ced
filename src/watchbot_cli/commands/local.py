"""``watchbot local``."""

from __future__ import annotations

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import FileName


@click.command(
    cls=Command,
    examples=(
        'watchbot local --app "python app.py"',
        'watchbot local --app "python app.py" --send jobs.jsonl --until-empty',
        "seq 100 | watchbot local --service svc --send - --until-empty --json",
    ),
)
@click.option("--app", metavar="COMMAND", help="The CDK app; by default what cdk.json in this folder says.")
@click.option("--service", metavar="ID", help="Run only this Watchbot: its construct id or its whole path.")
@click.option(
    "--send",
    type=FileName(),
    metavar="FILE",
    help="Publish each line of this file (- for standard input) to the topic.",
)
@click.option("--until-empty", is_flag=True, help="Stop when the queue has drained, and print a summary.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def local(app: str | None, service: str | None, send: str | None, until_empty: bool, as_json: bool) -> int:
    """Run an app's Watchbots on this machine.

    Synthesises the app, starts an AWS embedded in this machine, creates the queues, topics, tables and buckets of the
    template there, and runs the real watcher with the template's own settings. The worker's command runs as a local
    process, in the folder of its image. Needs no Docker, no AWS account and no network. Secrets are taken from
    environment variables of the same name.

    A line to send is a JSON object with Message and, if wanted, Subject, MessageAttributes, MessageGroupId and
    MessageDeduplicationId; or any text, which then is the message. A Message that is no string is sent as its JSON.
    Messages to a FIFO topic without a group share one. A file with a line that cannot be sent is refused before
    anything is. A service without a command, or with settings that exist only in AWS, is refused with the reason.

    The summary counts messages (sent, succeeded, dead_lettered) and runs (failed, retried); times are in seconds. Exit
    code: 0 when nothing was dead-lettered, 1 otherwise, 2 when asked for something that cannot be.
    """
    from watchbot_cli.local.run import run

    return run(app=app, service=service, send=send, until_empty=until_empty, as_json=as_json)
