"""One dead letter, as SQS gave it, and as JSON."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import re
import time
from collections.abc import Mapping
from typing import Any

from watchbot.contract import (
    DEAD_LETTER_ATTRIBUTES,
    DEAD_LETTER_MESSAGE_ID,
    DEAD_LETTER_REASON,
    DEAD_LETTER_RECEIVE_COUNT,
    WEBHOOK_TIME,
    WEBHOOK_VERIFIED_TYPE,
)
from watchbot.opener import envelope_in

_NO_REASON = "received too often"
"""What SQS moves by itself has no reason of the watcher's."""

_LONGEST_RETENTION_SECONDS = 14 * 86_400

_COUNT = re.compile("[0-9]{1,9}")
"""A sender can set an attribute of that name, too, to whatever he likes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    """A message of the dead-letter queue.

    ``letter_id`` is SQS's id of it there; logs call it by ``message_id``, the id that it had in the work queue.
    ``receive_count`` is the work queue's, as the watcher noted it; ``looks`` is the dead-letter queue's own.
    """

    letter_id: str
    receipt_handle: str
    body: str
    system: Mapping[str, str]
    attributes: Mapping[str, Mapping[str, Any]]

    @classmethod
    def from_sqs(cls, received: Mapping[str, Any]) -> Letter:
        """Read one entry of ReceiveMessage's answer."""
        return cls(
            letter_id=received["MessageId"],
            receipt_handle=received["ReceiptHandle"],
            body=received["Body"],
            system=received.get("Attributes", {}),
            attributes=received.get("MessageAttributes", {}),
        )

    @property
    def message_id(self) -> str:
        """The id that the message had when its job failed."""
        return self._text_of(DEAD_LETTER_MESSAGE_ID) or self.letter_id

    @property
    def reason(self) -> str:
        """Why it is here."""
        return self._text_of(DEAD_LETTER_REASON) or _NO_REASON

    @property
    def receive_count(self) -> int | None:
        """How often its job was tried; None when SQS moved it by itself, and no watcher noted it."""
        noted = self._text_of(DEAD_LETTER_RECEIVE_COUNT) or ""
        return int(noted) if _COUNT.fullmatch(noted) else None

    @property
    def looks(self) -> int:
        """How often the dead-letter queue has handed it out, this look included."""
        return int(self.system.get("ApproximateReceiveCount", "1"))

    @property
    def sent_at(self) -> float:
        """When it was sent to the queue that SQS counts its age from, in seconds since 1970."""
        return int(self.system.get("SentTimestamp", "0")) / 1000

    @property
    def published_at(self) -> float:
        """The earliest that its job may have run: when the topic got it, else SQS's longest retention ago.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
        """
        envelope = self._envelope or {}
        try:
            return datetime.datetime.fromisoformat(str(envelope.get("Timestamp"))).timestamp()
        except ValueError:
            return self.sent_at - _LONGEST_RETENTION_SECONDS

    @property
    def group_id(self) -> str | None:
        """The message group; None where the sender gave none."""
        return self.system.get("MessageGroupId")

    @property
    def size(self) -> int:
        """Bytes that count against SQS's limit."""
        parts = [part for name, one in self.attributes.items() for part in (name, *_values(one))]
        return sum(
            len(part.encode("utf-8", "replace") if isinstance(part, str) else part) for part in (self.body, *parts)
        )

    @property
    def is_unverified(self) -> bool:
        """Return True for a letter of the webhook without the note that its caller is genuine."""
        mark = self.attributes.get(WEBHOOK_TIME)
        return mark is not None and mark["DataType"] != WEBHOOK_VERIFIED_TYPE

    def verified(self) -> Letter:
        """Return the letter of the webhook with the note that its caller is genuine, which spares it the check."""
        noted = {**self.attributes[WEBHOOK_TIME], "DataType": WEBHOOK_VERIFIED_TYPE}
        return dataclasses.replace(self, attributes={**self.attributes, WEBHOOK_TIME: noted})

    @property
    def _envelope(self) -> dict[str, Any] | None:
        """The topic's envelope; what came through the webhook is the message, whatever it looks like."""
        return None if WEBHOOK_TIME in self.attributes else envelope_in(self.body)

    def is_called(self, wanted: str) -> bool:
        """Whether it has this id, here or where it came from."""
        return wanted in (self.letter_id, self.message_id)

    def document(self, now: float) -> dict[str, Any]:
        """Give everything as JSON holds it; :meth:`from_document` reads it back."""
        envelope = self._envelope
        return {
            "message_id": self.message_id,
            "letter_id": self.letter_id,
            "sent_at": datetime.datetime.fromtimestamp(self.sent_at, datetime.UTC).isoformat(timespec="milliseconds"),
            "age_seconds": round(now - self.sent_at),
            "receive_count": self.receive_count,
            "looks": self.looks,
            "reason": self.reason,
            "subject": None if envelope is None else envelope.get("Subject"),
            "message": self.body if envelope is None else envelope["Message"],
            "attributes": self._plain_attributes(envelope),
            "group_id": self.group_id,
            "trace_header": self.system.get("AWSTraceHeader"),
            "body": self.body,
            "message_attributes": {name: _json(one) for name, one in self.attributes.items()},
        }

    def document_now(self) -> dict[str, Any]:
        """Give everything, with its age at this moment."""
        return self.document(time.time())

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Letter:
        """Read what :meth:`document` gave; raises :class:`ValueError` with what is wrong about it."""
        body, letter_id = document.get("body"), document.get("letter_id")
        if not isinstance(body, str) or not body or not isinstance(letter_id, str) or not letter_id:
            raise ValueError("is no exported dead letter: it must have a body and a letter_id")
        attributes = document.get("message_attributes") or {}
        if not isinstance(attributes, dict):
            raise ValueError(f"has the message_attributes {attributes!r}; they must be an object")
        system = {"MessageGroupId": document.get("group_id"), "AWSTraceHeader": document.get("trace_header")}
        given = {name: str(value) for name, value in system.items() if value is not None}
        return cls(letter_id, "", body, given, {name: _attribute(name, one) for name, one in attributes.items()})

    def send_fields(self, *, fifo: bool) -> dict[str, Any]:
        """Build SendMessage's fields: everything as it was.

        The deduplication id is made of this letter's id: never one that the queue has seen before this stay here, and
        the same when a return that broke off is made again.
        """
        fields: dict[str, Any] = {
            "MessageBody": self.body,
            "MessageAttributes": {name: _sent(one) for name, one in self.attributes.items()},
        }
        trace = self.system.get("AWSTraceHeader")
        if trace is not None:
            fields["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        if self.group_id is not None:
            fields["MessageGroupId"] = self.group_id
        if fifo:
            fields["MessageDeduplicationId"] = f"returned-{self.letter_id}"
        return fields

    def _text_of(self, name: str) -> str | None:
        text: str | None = self.attributes.get(name, {}).get("StringValue")
        return text

    def _plain_attributes(self, envelope: Mapping[str, Any] | None) -> dict[str, str]:
        """Give the sender's attributes by name, wherever they travelled."""
        if envelope is not None:
            theirs = envelope.get("MessageAttributes")
            given = theirs.items() if isinstance(theirs, dict) else ()
            return {name: str(one.get("Value")) for name, one in given if isinstance(one, dict)}
        plain = {name: _json(one) for name, one in self.attributes.items() if name not in DEAD_LETTER_ATTRIBUTES}
        return {name: str(one.get("StringValue", one.get("BinaryValue"))) for name, one in plain.items()}


def _values(attribute: Mapping[str, Any]) -> list[str | bytes]:
    return [attribute[part] for part in ("DataType", "StringValue", "BinaryValue") if part in attribute]


def _sent(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the lists, which SQS gives and does not take."""
    return {part: attribute[part] for part in ("DataType", "StringValue", "BinaryValue") if part in attribute}


def _json(attribute: Mapping[str, Any]) -> dict[str, str]:
    kept = _sent(attribute)
    binary = kept.get("BinaryValue")
    return kept if binary is None else {**kept, "BinaryValue": base64.b64encode(binary).decode()}


def _attribute(name: str, given: Any) -> dict[str, Any]:
    match given:
        case {"DataType": str(kind), "StringValue": str(text)}:
            return {"DataType": kind, "StringValue": text}
        case {"DataType": str(kind), "BinaryValue": str(text)}:
            try:
                return {"DataType": kind, "BinaryValue": base64.b64decode(text, validate=True)}
            except ValueError as error:
                raise ValueError(f"has the message attribute {name}, which is not base64: {error}") from error
        case _:
            raise ValueError(f"has the message attribute {name} as {given!r}, without DataType and a value")
