"""What a worker is asked to do: an opened message."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import sys
from collections.abc import Mapping
from typing import Any

from watchbot.contract import MESSAGE_ID_VARIABLE
from watchbot.message import Message
from watchbot.payload import Pointer
from watchbot.stored_content import StoredContent


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """A message, opened: its text, its subject and its attributes, wherever they came from.

    With a ``pointer`` the text is an object in S3, and None here as long as nobody has fetched it, or when it is too
    long for a variable.

    With a ``url`` the worker reads the text there, and with an ``attributes_url`` the attributes.

    ``attributes`` are ``{name: {"Type": …, "Value": …}}``, with binary values in base64: the form that SNS gives
    them in its envelope.
    """

    message: Message
    text: str | None
    subject: str | None = None
    attributes: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    pointer: Pointer | None = None
    url: str | None = None
    attributes_url: str | None = None

    def let_go(self, form: Job, stored: StoredContent) -> None:
        """Forget the content, here and wherever this job is referred to, but for what ``form`` still has of it."""
        object.__setattr__(self, "text", form.text)
        object.__setattr__(self, "subject", form.subject)
        object.__setattr__(self, "attributes", form.attributes)
        self.message.let_go(stored)

    @property
    def beginning(self) -> str | None:
        """The text, or as much of it as is left here."""
        stored = self.message.stored
        if self.text is not None or stored is None or self.pointer is not None:
            return self.text
        return stored.beginning.decode(errors="ignore")

    @property
    def content_bytes(self) -> int:
        """The memory that the job and its message take."""
        opened = 0 if self.text is None or self.text is self.message.body else sys.getsizeof(self.text)
        values = sum(sys.getsizeof(text) for one in self.attributes.values() for text in one.values())
        return self.message.content_bytes + opened + values + sys.getsizeof(self.subject)

    @property
    def attributes_text(self) -> str | None:
        """The attributes as JSON; None where there are none."""
        return json.dumps(self.attributes, ensure_ascii=False) if self.attributes else None

    def variables(self) -> dict[str, str]:
        """Give the worker's variables about this job; a variable that the message has no value for is left out."""
        system = self.message.attributes
        variables = {
            "Message": self.text,
            "MessageUrl": self.url,
            "Subject": self.subject,
            MESSAGE_ID_VARIABLE: self.message.message_id,
            "SentTimestamp": _iso(system.get("SentTimestamp")),
            "ApproximateFirstReceiveTimestamp": _iso(system.get("ApproximateFirstReceiveTimestamp")),
            "ApproximateReceiveCount": str(self.message.receive_count),
            "MessageGroupId": self.message.group_id,
            "MessageAttributes": self.attributes_text if self.attributes_url is None else None,
            "MessageAttributesUrl": self.attributes_url,
            "TRACEPARENT": self.attributes.get("traceparent", {}).get("Value"),
            "_X_AMZN_TRACE_ID": system.get("AWSTraceHeader"),
        }
        return {name: value for name, value in variables.items() if value is not None}


@dataclasses.dataclass(frozen=True, slots=True)
class NoJob:
    """A message that asks for nothing: it is deleted, and no worker hears of it."""

    reason: str


def portable_attributes(message_attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Turn SQS's message attributes into the form of SNS's envelope."""
    portable = {}
    for name, attribute in message_attributes.items():
        binary = attribute.get("BinaryValue")
        value = attribute.get("StringValue", "") if binary is None else base64.b64encode(binary).decode()
        portable[name] = {"Type": attribute["DataType"], "Value": value}
    return portable


def message_attributes_of(portable: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """Turn portable attributes back into SQS's."""
    return {
        name: {"DataType": one["Type"], "BinaryValue": base64.b64decode(one["Value"])}
        if one["Type"].startswith("Binary")
        else {"DataType": one["Type"], "StringValue": one["Value"]}
        for name, one in portable.items()
    }


def _iso(milliseconds: str | None) -> str | None:
    if milliseconds is None:
        return None
    moment = datetime.datetime.fromtimestamp(int(milliseconds) / 1000, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
