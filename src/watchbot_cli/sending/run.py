"""``watchbot send`` itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from watchbot.contract import Description
from watchbot_cli.errors import CommandError, UsageError
from watchbot_cli.options import Target
from watchbot_cli.output import progress, talk, write_json
from watchbot_cli.sending.destination import Destination, Post, queue_post, to_queue, to_topic, topic_post
from watchbot_cli.sending.outgoing import Outgoing, Reader
from watchbot_cli.sending.sender import THREADS, Sender, written_ranges
from watchbot_cli.session import Session
from watchbot_cli.stack import find

_SHOWN_REFUSALS = 10


def send(
    target: Target, *, message: str | None, file: str | None, to: str, fields: Mapping[str, Any], as_json: bool
) -> int:
    """Send one message or the lines of a file; ``fields`` are those of every message that has no such of its own."""
    if (message is None) == (file is None):
        raise UsageError("send a MESSAGE, or the lines of a --file: one of them")
    if message == "-":
        message, file = None, "-"
    if message is None and "MessageDeduplicationId" in fields:
        raise UsageError("--deduplication-id is for one MESSAGE: a line of a file may have a MessageDeduplicationId")
    session = Session(target)
    found = find(session, target, acts="what is sent to it is lost")
    destination, post = _destination(session, found.service, to)
    messages = _messages(destination, fields, message, file)
    console = talk()
    with progress(console) as bars:
        bar = bars.add_task("sending", total=len(messages))
        sender = Sender(destination, post, lambda count: bars.advance(bar, count))
        ended = _ended(sender, messages)
    _tell(sender, len(messages), console, as_json=as_json)
    if ended is not None:
        raise ended
    return 0


def _destination(session: Session, service: Description, to: str) -> tuple[Destination, Post]:
    if to == "topic":
        sns = session.client("sns", connections=THREADS)
        return to_topic(fifo=service.topic_arn.endswith(".fifo")), topic_post(sns, service.topic_arn)
    sqs = session.client("sqs", connections=THREADS)
    return to_queue(fifo=service.queue_url.endswith(".fifo")), queue_post(sqs, service.queue_url)


def _messages(
    destination: Destination, fields: Mapping[str, Any], message: str | None, file: str | None
) -> list[Outgoing]:
    try:
        reader = Reader(destination, fields)
    except ValueError as error:
        raise UsageError(f"every message {error}") from error
    return [reader.message(message)] if message is not None else reader.lines(file or "-", "--file")


def _ended(sender: Sender, messages: Sequence[Outgoing]) -> Exception | None:
    """Send; gives what was the matter, which is told after what was sent."""
    try:
        sender.send(messages)
    except KeyboardInterrupt:
        return CommandError("interrupted")
    except (BotoCoreError, ClientError) as error:
        return error
    return None if len(sender.sent) == len(messages) else CommandError("not every message was taken")


def _tell(sender: Sender, count: int, console: Console, *, as_json: bool) -> None:
    sent, doubtful = written_ranges(sender.sent), written_ranges(sender.doubtful)
    if as_json:
        refused = {str(number): why for number, why in sorted(sender.refused.items())}
        write_json(
            {"sent": len(sender.sent), "of": count, "lines": sent, "doubtful_lines": doubtful, "refused_lines": refused}
        )
    elif len(sender.sent) == count:
        console.print(f"{count} messages sent")
    else:
        console.print(f"{len(sender.sent)} of {count} messages sent: lines {sent or 'none'}")
    if doubtful:
        console.print(f"lines {doubtful} may have been sent: no answer came")
    for number, why in sorted(sender.refused.items())[:_SHOWN_REFUSALS]:
        console.print(f"line {number} was refused: {why}")
