"""Messages published to a topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from watchbot_cli.errors import CommandError
from watchbot_cli.local.outgoing import SIZE_LIMIT, Outgoing

_BATCH = 10


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
        if batch and (len(batch) == _BATCH or size + message.size > SIZE_LIMIT):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield batch
