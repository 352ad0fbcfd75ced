"""The message of a run, as ReceiveMessage would have given it to the watcher."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from watchbot.contract import DEAD_LETTER_ATTRIBUTES
from watchbot.dead_letter import SIZE_LIMIT
from watchbot.message import MalformedMessageError, Message
from watchbot_cli.dead_letter.letter import Letter
from watchbot_cli.errors import UsageError
from watchbot_cli.sending.destination import to_topic
from watchbot_cli.sending.outgoing import Outgoing, Reader

_GROUP = "run"
"""The group of a message to a FIFO service that has none."""

_NO_HANDLE = "none"
"""Nothing is settled here."""

_DOCUMENT_LIMIT = 8 * SIZE_LIMIT
"""An exported dead letter says most things twice, and some in base64."""


def given_message(text: str | None, file: str | None, *, fifo: bool, receive_count: int) -> Message:
    """Read the text, or the one line of the file, which may be an exported dead letter, too.

    Raises :class:`UsageError` when it is no message, or several.
    """
    if (text is None) == (file is None):
        raise UsageError("run takes a MESSAGE, or a --file with one: one of them")
    if text == "-":
        text, file = None, "-"
    rules = dataclasses.replace(to_topic(fifo=fifo), size_limit=_DOCUMENT_LIMIT)
    reader = Reader(rules, {"MessageGroupId": _GROUP} if fifo else {})
    lines = [reader.message(text)] if text is not None else reader.lines(file or "-", "--file")
    if len(lines) != 1:
        raise UsageError(f"--file {file!r} holds {len(lines)} messages; run takes one, on one line")
    letter = _letter(lines[0].fields["Message"])
    received = _sent(lines[0]) if letter is None else _failed(letter)
    if len(received["Body"].encode("utf-8", "replace")) > SIZE_LIMIT:
        raise UsageError(f"the message is longer than the {SIZE_LIMIT} bytes that SQS takes")
    counted = {**received["Attributes"], "ApproximateReceiveCount": str(receive_count)}
    try:
        return Message.from_sqs({**received, "ReceiptHandle": _NO_HANDLE, "Attributes": counted}, 0)
    except MalformedMessageError as error:
        raise UsageError(f"the message cannot be one that SQS would hand out: {error}") from error


def to_json(message: Message) -> str:
    """Write a message as AWS's command line does: binary values in base64."""
    attributes = {name: _text(attribute) for name, attribute in message.message_attributes.items()}
    return json.dumps(
        {
            "MessageId": message.message_id,
            "Body": message.body,
            "Attributes": dict(message.attributes),
            "MessageAttributes": attributes,
        }
    )


def from_json(text: str) -> Message:
    """Read what :func:`to_json` wrote."""
    received = json.loads(text)
    attributes = {name: _bytes(attribute) for name, attribute in received["MessageAttributes"].items()}
    return Message.from_sqs({**received, "ReceiptHandle": _NO_HANDLE, "MessageAttributes": attributes}, 0)


def _letter(text: str) -> Letter | None:
    try:
        document = json.loads(text)
        return Letter.from_document(document) if isinstance(document, dict) else None
    except (ValueError, RecursionError):
        return None


def _failed(letter: Letter) -> dict[str, Any]:
    """Give a dead letter as it was in the work queue: what the watcher has added since is left out."""
    kept = {name: attribute for name, attribute in letter.attributes.items() if name not in DEAD_LETTER_ATTRIBUTES}
    return {
        "MessageId": letter.message_id,
        "Body": letter.body,
        "Attributes": {**_now(), **letter.system},
        "MessageAttributes": kept,
    }


def _sent(line: Outgoing) -> dict[str, Any]:
    """Give a message as it comes through the topic; one without a subject needs no envelope for that."""
    fields, message_id = line.fields, str(uuid.uuid4())
    body, attributes = fields["Message"], fields.get("MessageAttributes", {})
    if "Subject" in fields:
        body, attributes = _envelope(fields, attributes, message_id), {}
    group = {"MessageGroupId": fields["MessageGroupId"]} if "MessageGroupId" in fields else {}
    return {"MessageId": message_id, "Body": body, "Attributes": {**_now(), **group}, "MessageAttributes": attributes}


def _envelope(fields: Mapping[str, Any], attributes: Mapping[str, Mapping[str, Any]], message_id: str) -> str:
    """Wrap it as SNS does: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html."""
    plain = {name: _text(attribute) for name, attribute in attributes.items()}
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": "arn:aws:sns:us-east-1:000000000000:run",
            "Subject": fields["Subject"],
            "Message": fields["Message"],
            "Timestamp": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "MessageAttributes": {
                name: {"Type": one["DataType"], "Value": one.get("StringValue", one.get("BinaryValue"))}
                for name, one in plain.items()
            },
        }
    )


def _now() -> dict[str, str]:
    now = str(round(time.time() * 1000))
    return {"SentTimestamp": now, "ApproximateFirstReceiveTimestamp": now}


def _text(attribute: Mapping[str, Any]) -> dict[str, str]:
    binary = attribute.get("BinaryValue")
    return {**attribute, **({} if binary is None else {"BinaryValue": base64.b64encode(binary).decode()})}


def _bytes(attribute: Mapping[str, str]) -> dict[str, Any]:
    binary = attribute.get("BinaryValue")
    return {**attribute, **({} if binary is None else {"BinaryValue": base64.b64decode(binary)})}
