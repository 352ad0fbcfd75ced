"""A received SQS message, as the rest of the watcher sees it."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import re
import sys
from collections.abc import Mapping
from typing import Any

from watchbot.stored_content import StoredContent

_MESSAGE_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)
"""At most 100 characters: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html"""

_MOST_RECEIVES = 1_000_000_000
_LAST_MILLISECOND = 253_402_300_799_999
"""The end of the year 9999, after which Python has no dates."""

_NUMBERS = {
    "ApproximateReceiveCount": _MOST_RECEIVES,
    "SentTimestamp": _LAST_MILLISECOND,
    "ApproximateFirstReceiveTimestamp": _LAST_MILLISECOND,
}
"""The system attributes that are whole numbers, and the largest that makes sense."""


class MalformedMessageError(Exception):
    """SQS answered with something that is not a message; ``message_id`` where that much of it can be read."""

    def __init__(self, problem: str, message_id: str | None = None) -> None:
        self.message_id = message_id
        super().__init__(problem)


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One receive of one SQS message; ``received_at`` is the event loop's time when the answer came in.

    SQS counts from its own receive, a moment earlier. Not from when the poll began: a long poll may wait longer than
    a short lease lasts.

    Once its content is ``stored``, the body is empty, and so are the attributes if they are stored as well.
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: Mapping[str, str]
    message_attributes: Mapping[str, Mapping[str, Any]]
    received_at: float
    stored: StoredContent | None = None

    @classmethod
    def from_sqs(cls, received: Any, received_at: float) -> Message:
        """Read one entry of ReceiveMessage's answer; raises :class:`MalformedMessageError`.

        Everything that is read later is checked here, so that a wrong answer costs this one message.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html
        """
        if not isinstance(received, Mapping):
            raise MalformedMessageError("a message is not an object")
        message_id = received.get("MessageId")
        if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
            raise MalformedMessageError("MessageId is missing or not an id")
        try:
            return cls(
                message_id=message_id,
                receipt_handle=_text(received, "ReceiptHandle"),
                body=_body(received),
                attributes=_attributes(received.get("Attributes")),
                message_attributes=_message_attributes(received.get("MessageAttributes")),
                received_at=received_at,
            )
        except MalformedMessageError as error:
            raise MalformedMessageError(str(error), message_id) from None

    def let_go(self, stored: StoredContent) -> None:
        """Forget the content, here and wherever this message is referred to: it is in S3."""
        object.__setattr__(self, "stored", stored)
        object.__setattr__(self, "body", "")
        if stored.message_attributes is not None:
            object.__setattr__(self, "message_attributes", {})

    @property
    def content_bytes(self) -> int:
        """The memory that body and attributes take: CPython stores up to four bytes for each character of a text."""
        size = sys.getsizeof(self.body)
        if self.message_attributes:
            size += sum(sys.getsizeof(value) for one in self.message_attributes.values() for value in one.values())
        return size

    @property
    def receive_count(self) -> int:
        """How often SQS has handed the message out, this time included; 1 on the first receive."""
        return max(1, int(self.attributes.get("ApproximateReceiveCount", "1")))

    @property
    def group_id(self) -> str | None:
        """The FIFO message group; None where the sender gave none."""
        return self.attributes.get("MessageGroupId")

    @property
    def sent_at(self) -> float | None:
        """When it was sent, in seconds since 1970, as SQS's clock says."""
        sent = self.attributes.get("SentTimestamp")
        return None if sent is None else int(sent) / 1000


def _text(fields: Mapping[Any, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedMessageError(f"{name} is missing or not a text")
    return value


def _body(received: Mapping[Any, Any]) -> str:
    body = received.get("Body")
    if not isinstance(body, str):
        raise MalformedMessageError("Body is missing or not a text")
    stated = received.get("MD5OfBody")
    if stated is None:
        return body
    found = hashlib.md5(body.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    if stated != found:
        raise MalformedMessageError("Body does not match MD5OfBody")
    return body


def _attributes(value: Any) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
        raise MalformedMessageError("Attributes is not an object of texts")
    for name, most in _NUMBERS.items():
        text = value.get(name)
        # The digits are counted first, because Python refuses thousands of them with another error.
        if text is not None and not (text.isascii() and text.isdecimal() and len(text) <= 18 and int(text) <= most):
            raise MalformedMessageError(f"{name} is {text[:40]!r}, not a whole number up to {most}")
    return value


def _message_attributes(value: Any) -> Mapping[str, Mapping[str, Any]]:
    if not value:
        return {}
    if not isinstance(value, Mapping):
        raise MalformedMessageError("MessageAttributes is not an object")
    return {name: _message_attribute(name, attribute) for name, attribute in value.items()}


def _message_attribute(name: str, attribute: Any) -> Mapping[str, Any]:
    if not isinstance(attribute, Mapping):
        raise MalformedMessageError(f"the message attribute {name[:40]!r} is not an object")
    kind, text, binary = attribute.get("DataType"), attribute.get("StringValue"), attribute.get("BinaryValue")
    if isinstance(binary, str):
        binary = _decoded(name, binary)
    if not isinstance(kind, str) or not (isinstance(text, str) or isinstance(binary, bytes)):
        raise MalformedMessageError(f"the message attribute {name[:40]!r} has no DataType or no value")
    if isinstance(binary, bytes):
        return {"DataType": kind, "BinaryValue": binary}
    return {"DataType": kind, "StringValue": text}


def _decoded(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessageError(f"the message attribute {name[:40]!r} is not valid base64") from None
