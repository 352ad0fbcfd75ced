"""Messages to send, read from lines and checked by the rules of SNS before any of them is sent.

https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

from __future__ import annotations

import base64
import codecs
import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

from watchbot_cli.errors import UsageError

SIZE_LIMIT = 262_144
"""Bytes that a topic takes by default for one message with its attributes, and for a batch of them."""

_SUBJECT_LIMIT = 100
_ORDER_LIMIT = 128
_ORDER = ("MessageGroupId", "MessageDeduplicationId")
_FIELDS = ("Message", "Subject", "MessageAttributes", *_ORDER)
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_ATTRIBUTE_KINDS = ("String", "String.Array", "Number", "Binary")
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
        parts = [part for name, value in attributes.items() for part in (name, *value.values())]
        return sum(len(part.encode() if isinstance(part, str) else part) for part in (self.fields["Message"], *parts))


def read_messages(source: str, *, fifo: bool) -> list[Outgoing]:
    """Read a file, or standard input for ``-``; raises :class:`UsageError` with every line that cannot be sent.

    Empty lines are skipped.
    """
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"--send {source!r} cannot be read: {error.strerror}") from error
    messages: list[Outgoing] = []
    problems: list[str] = []
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
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
        text = line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: {error.reason} at byte {error.start}") from error
    given = _object(text)
    fields: dict[str, Any] = {"Message": text} if given is None else _checked(given)
    if fifo:
        fields.setdefault("MessageGroupId", _GROUP)
        # Two equal lines are two messages, and SNS would drop the second for five minutes.
        fields.setdefault("MessageDeduplicationId", f"line-{number}")
    elif "MessageDeduplicationId" in fields:
        raise ValueError("has a MessageDeduplicationId, which only a FIFO topic takes")
    message = Outgoing(fields)
    try:
        size = message.size
    except UnicodeEncodeError as error:
        raise ValueError(f"has {error.object[error.start]!r}, half a character, which UTF-8 cannot hold") from error
    if size > SIZE_LIMIT:
        raise ValueError(f"is {size} bytes, and SNS takes at most {SIZE_LIMIT}")
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
    unknown = sorted(given.keys() - {*_FIELDS})
    if unknown:
        raise ValueError(f"has {', '.join(unknown)}; allowed are {', '.join(_FIELDS)}")
    fields = {name: value for name, value in given.items() if value is not None or name == "Message"}
    message = fields["Message"]
    fields["Message"] = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    if not fields["Message"]:
        raise ValueError("has an empty Message, which SNS does not take")
    if "Subject" in fields:
        subject = fields["Subject"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_LIMIT or not subject.isprintable():
            raise ValueError(f"has the Subject {subject!r}; SNS takes 1 to {_SUBJECT_LIMIT} printable characters")
    for name in _ORDER:
        if name in fields and not (isinstance(fields[name], str) and 0 < len(fields[name]) <= _ORDER_LIMIT):
            raise ValueError(f"has the {name} {fields[name]!r}; SNS takes 1 to {_ORDER_LIMIT} characters")
    if "MessageAttributes" in fields:
        fields["MessageAttributes"] = _attributes(fields["MessageAttributes"])
    return fields


def _attributes(given: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(given, dict):
        raise ValueError(f"has the MessageAttributes {given!r}; they must be an object of attributes by name")
    return {name: _attribute(name, value) for name, value in given.items()}


def _attribute(name: str, given: Any) -> dict[str, Any]:
    if not _ATTRIBUTE_NAME.fullmatch(name):
        raise ValueError(f"has the message attribute {name!r}; names are 1 to 256 letters, digits, _, - and .")
    match given:
        case {"DataType": str(kind)} if kind not in _ATTRIBUTE_KINDS:
            kinds = ", ".join(_ATTRIBUTE_KINDS)
            raise ValueError(f"has the message attribute {name} with the DataType {kind!r}; SNS takes {kinds}")
        case {"DataType": str(kind), "StringValue": str(text)} if text and len(given) == 2:
            return {"DataType": kind, "StringValue": text}
        case {"DataType": str(kind), "BinaryValue": str(text)} if text and len(given) == 2:
            try:
                return {"DataType": kind, "BinaryValue": base64.b64decode(text, validate=True)}
            except ValueError as error:
                raise ValueError(f"has the message attribute {name}, which is not base64: {error}") from error
        case _:
            raise ValueError(
                f"has the message attribute {name} as {given!r}; it must be an object of DataType and either "
                "StringValue or, in base64, BinaryValue"
            )
