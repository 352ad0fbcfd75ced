"""Messages read from lines, and published to a topic."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from watchbot_cli.errors import CommandError, UsageError

_BATCH = 10
_BATCH_BYTES = 262_144
_SIZE_LIMIT = 262_144
"""Bytes that SNS takes for a message, and for a batch of them.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

_SUBJECT_LIMIT = 100
_FIELDS = {"Message", "Subject", "MessageAttributes", "MessageGroupId", "MessageDeduplicationId"}
_SHOWN_PROBLEMS = 10
_GROUP = "local"


@dataclasses.dataclass(frozen=True)
class Outgoing:
    """One message with Publish's own fields."""

    fields: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes that count against SNS's limit."""
        attributes = self.fields.get("MessageAttributes", {})
        return len(self.fields["Message"].encode()) + sum(
            len(name) + sum(len(str(value)) for value in attribute.values()) for name, attribute in attributes.items()
        )


def read_messages(source: str, *, fifo: bool) -> list[Outgoing]:
    """Read a file, or standard input for ``-``; raises :class:`UsageError` with every line that cannot be sent.

    Nothing has been sent by then. Empty lines are skipped.
    """
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--send {source!r} cannot be read: {error.strerror}") from error
    messages: list[Outgoing] = []
    problems: list[str] = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            messages.append(_message(line, number, fifo=fifo))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        shown = [*problems[:_SHOWN_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
        raise UsageError(f"--send {source!r} cannot be sent, and nothing was:\n" + "\n".join(shown))
    return messages


def _message(line: bytes, number: int, *, fifo: bool) -> Outgoing:
    try:
        text = line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: {error.reason} at byte {error.start}") from error
    given = _object(text)
    fields: dict[str, Any] = {"Message": text} if given is None else _checked(given)
    if fifo:
        fields.setdefault("MessageGroupId", _GROUP)
        # Two equal lines are two messages, and SNS would drop the second for five minutes.
        fields.setdefault("MessageDeduplicationId", f"line-{number}")
    message = Outgoing(fields)
    if message.size > _SIZE_LIMIT:
        raise ValueError(f"is {message.size} bytes, and SNS takes at most {_SIZE_LIMIT}")
    return message


def _object(text: str) -> dict[str, Any] | None:
    """Read the line as an object with a Message; anything else is itself the message."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "Message" in value else None


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(given.keys() - _FIELDS)
    if unknown:
        raise ValueError(f"has {', '.join(unknown)}; allowed are {', '.join(sorted(_FIELDS))}")
    fields = dict(given)
    message = fields["Message"]
    fields["Message"] = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    if not fields["Message"]:
        raise ValueError("has an empty Message, which SNS does not take")
    subject = fields.get("Subject")
    if subject is None:
        fields.pop("Subject", None)
    elif not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_LIMIT or not subject.isprintable():
        raise ValueError(f"has the Subject {subject!r}; SNS takes 1 to {_SUBJECT_LIMIT} printable characters")
    return fields


def publish(sns: Any, topic_arn: str, messages: list[Outgoing], sent: Callable[[int], None]) -> None:
    """Publish all messages in order, telling after each call how many more were taken."""
    done = 0
    for batch in _batches(messages):
        entries = [{"Id": str(number), **message.fields} for number, message in enumerate(batch)]
        answer = sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=entries)
        taken = len(answer.get("Successful", []))
        done += taken
        sent(taken)
        failed = answer.get("Failed", [])
        if failed:
            raise CommandError(f"SNS took {done} messages and then refused one: {failed[0].get('Message')}")


def _batches(messages: list[Outgoing]) -> Iterator[list[Outgoing]]:
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == _BATCH or size + message.size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
