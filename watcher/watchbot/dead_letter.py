"""What a message looks like in the dead-letter queue when the watcher moves it there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from watchbot.contract import (
    DEAD_LETTER_ATTRIBUTES,
    DEAD_LETTER_MESSAGE_ID,
    DEAD_LETTER_REASON,
    WEBHOOK_TIME,
    WEBHOOK_TYPE,
    WEBHOOK_VERIFIED_TYPE,
)
from watchbot.message import Message
from watchbot.signature import is_verified

SIZE_LIMIT = 1_048_576
"""Bytes that SQS takes for a body and its attributes together.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

_ATTRIBUTE_LIMIT = 10
_REASON_BYTES = 1024

_VERIFIED_LABEL = WEBHOOK_VERIFIED_TYPE.removeprefix(WEBHOOK_TYPE)

_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def dead_letter_fields(message: Message, reason: str, *, fifo: bool, verified: bool = False) -> dict[str, Any]:
    """Build SendMessage's fields: the original body and attributes, and ours as far as they fit, in their order.

    The trace header is a system attribute and counts for nothing. On a FIFO queue the message id is the
    deduplication id, as when SQS itself moves a message: with the sender's id, a second move within five minutes
    would be accepted and dropped. A ``verified`` message of the webhook is marked so before anything of ours is added;
    where not even the label's nine bytes are left, its signature will be checked again.
    """
    attributes = {
        name: dict(value) for name, value in message.message_attributes.items() if name not in DEAD_LETTER_ATTRIBUTES
    }
    size = len(message.body.encode("utf-8", "surrogatepass")) + sum(map(_size, attributes, attributes.values()))
    if verified and size + len(_VERIFIED_LABEL) <= SIZE_LIMIT and not is_verified(message):
        attributes[WEBHOOK_TIME] = {**attributes[WEBHOOK_TIME], "DataType": WEBHOOK_VERIFIED_TYPE}
        size += len(_VERIFIED_LABEL)
    texts = (_first_id(message), _cut(_sendable(reason), _REASON_BYTES), str(message.receive_count))
    for name, text in zip(DEAD_LETTER_ATTRIBUTES, texts, strict=True):
        attribute = {"DataType": "String", "StringValue": text}
        needed = _size(name, attribute)
        if len(attributes) < _ATTRIBUTE_LIMIT and size + needed <= SIZE_LIMIT and text:
            attributes[name] = attribute
            size += needed
    fields: dict[str, Any] = {"MessageBody": message.body, "MessageAttributes": attributes}
    trace = message.attributes.get("AWSTraceHeader")
    if trace is not None:
        fields["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    if message.group_id is not None:
        fields["MessageGroupId"] = message.group_id
    if fifo:
        fields["MessageDeduplicationId"] = message.message_id
    return fields


def is_returned_letter(message: Message) -> bool:
    """Return True for a message that the watcher dead-lettered before: it carries an id as SQS makes them and a reason.

    A sender could write both. No caller of the webhook can, and whoever may send to the queue may start any job.
    """
    is_id = _MESSAGE_ID.fullmatch(_text(message.message_attributes, DEAD_LETTER_MESSAGE_ID)) is not None
    return is_id and bool(_text(message.message_attributes, DEAD_LETTER_REASON))


def _first_id(message: Message) -> str:
    """Return the id that a letter had on its first stay; a sender's own attribute of that name names no letter."""
    is_returned = is_returned_letter(message)
    return _text(message.message_attributes, DEAD_LETTER_MESSAGE_ID) if is_returned else message.message_id


def _text(attributes: Mapping[str, Mapping[str, Any]], name: str) -> str:
    value = attributes.get(name, {}).get("StringValue")
    return value if isinstance(value, str) else ""


def _size(name: str, attribute: Mapping[str, Any]) -> int:
    binary = attribute.get("BinaryValue")
    value = attribute.get("StringValue", "").encode() if binary is None else binary
    return len(name.encode()) + len(attribute["DataType"].encode()) + len(value)


def _cut(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")


_NOT_SENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_sendable(text: str) -> bool:
    """Whether SQS takes the text: XML 1.0 can hold every character of it."""
    return _NOT_SENDABLE.search(text) is None


def _sendable(text: str) -> str:
    """Replace what SQS refuses in an attribute: anything that XML 1.0 could not hold."""
    return _NOT_SENDABLE.sub("\ufffd", text)
