"""``watchbot send``."""

from __future__ import annotations

from typing import Any

import click

from watchbot_cli.examples import Command
from watchbot_cli.options import FileName, Target, Time, service_options


@click.command(
    cls=Command,
    examples=(
        "watchbot send --stack Thumbnails '{\"zoom\": 3}' --subject render --attribute kind=tile",
        "watchbot send --stack Thumbnails --file jobs.jsonl",
        "seq 100 | watchbot send --stack Thumbnails - --to queue --delay 5m",
    ),
)
@click.argument("message", required=False)
@click.option("--file", type=FileName(), metavar="FILE", help="Send each line of this file; - for standard input.")
@click.option("--to", type=click.Choice(["topic", "queue"]), default="topic", show_default=True, help="Where to.")
@click.option("--subject", metavar="TEXT", help="What the worker gets as Subject; to the topic only.")
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="A message attribute; repeatable.")
@click.option("--group", metavar="ID", help="The message group; FIFO needs one.")
@click.option("--deduplication-id", metavar="ID", help="FIFO: one of its own for each message, by default.")
@click.option("--delay", type=Time(), metavar="TIME", help="Handed out after so long: 90s, 15m; to the queue only.")
@service_options
def send(target: Target, as_json: bool, message: str | None, file: str | None, to: str, **given: Any) -> int:
    """Send one message, or many: with - each line of standard input, as --file - does.

    A line of a file is a JSON object with Message and, if wanted, Subject, MessageAttributes, MessageGroupId,
    MessageDeduplicationId and, to the queue, DelaySeconds; or any text, which then is the message. The options are for
    lines that do not say otherwise. Everything is checked before anything is sent: a topic takes messages of 256 KiB,
    a queue of 1 MiB.

    Whatever happens, the numbers of the lines that were sent are told; the exit code is 0 only for all of them.
    """
    from watchbot_cli.sending.run import send as run

    attributes = {}
    for attribute in given["attributes"]:
        name, equals, value = attribute.partition("=")
        if not equals:
            raise click.BadParameter(f"{attribute!r} is not NAME=VALUE", param_hint="--attribute")
        attributes[name] = {"DataType": "String", "StringValue": value}
    fields = {
        "Subject": given["subject"],
        "MessageAttributes": attributes or None,
        "MessageGroupId": given["group"],
        "MessageDeduplicationId": given["deduplication_id"],
        "DelaySeconds": given["delay"],
    }
    kept = {name: value for name, value in fields.items() if value is not None}
    return run(target, message=message, file=file, to=to, fields=kept, as_json=as_json)
