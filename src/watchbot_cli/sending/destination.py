"""Where messages go, and what is taken there.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

from watchbot.dead_letter import SIZE_LIMIT

_TOPIC_SIZE_LIMIT = 262_144
_FIELDS = ("Message", "Subject", "MessageAttributes", "MessageGroupId", "MessageDeduplicationId")

Post = Callable[[list[dict[str, Any]]], Mapping[str, Any]]
"""Sends one batch of entries; gives SNS's or SQS's answer."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The rules of a topic or queue: bytes for a message or a batch, fields, attributes."""

    name: str
    fifo: bool
    size_limit: int
    fields: tuple[str, ...]
    body_field: str
    attribute_kind: re.Pattern[str]
    attribute_kinds: str
    attribute_limit: int | None

    def entry(self, fields: Mapping[str, Any], entry_id: str) -> dict[str, Any]:
        """Write a message as a line of a batch."""
        others = {name: value for name, value in fields.items() if name != "Message"}
        return {"Id": entry_id, self.body_field: fields["Message"], **others}


def to_topic(*, fifo: bool) -> Destination:
    """Give the rules of a topic, which takes 256 KiB by default."""
    return Destination(
        name="SNS",
        fifo=fifo,
        size_limit=_TOPIC_SIZE_LIMIT,
        fields=_FIELDS,
        body_field="Message",
        attribute_kind=re.compile(r"String|String\.Array|Number|Binary"),
        attribute_kinds="String, String.Array, Number, Binary",
        attribute_limit=None,
    )


def to_queue(*, fifo: bool) -> Destination:
    """Give the rules of a queue, which takes 1 MiB, a delay and no subject."""
    return Destination(
        name="SQS",
        fifo=fifo,
        size_limit=SIZE_LIMIT,
        fields=(*(field for field in _FIELDS if field != "Subject"), "DelaySeconds"),
        body_field="MessageBody",
        attribute_kind=re.compile(r"(String|Number|Binary)(\..+)?"),
        attribute_kinds="String, Number and Binary, with a label of your own behind a dot or without",
        attribute_limit=10,
    )


def topic_post(sns: Any, topic_arn: str) -> Post:
    """Make what publishes batches to this topic."""
    return lambda entries: dict(sns.publish_batch(TopicArn=topic_arn, PublishBatchRequestEntries=entries))


def queue_post(sqs: Any, queue_url: str) -> Post:
    """Make what sends batches to this queue."""
    return lambda entries: dict(sqs.send_message_batch(QueueUrl=queue_url, Entries=entries))
