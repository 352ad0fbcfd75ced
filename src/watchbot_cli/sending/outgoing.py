"""Messages to send, read from lines and checked by the rules of where they go before any of them is sent."""

from __future__ import annotations

import base64
import codecs
import dataclasses
import json
import re
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from watchbot.dead_letter import is_sendable
from watchbot_cli.errors import UsageError
from watchbot_cli.sending.destination import Destination
from watchbot_cli.standard_input import standard_input

_SUBJECT_LIMIT = 100
_ORDER_LIMIT = 128
_LONGEST_DELAY_SECONDS = 900
_ORDER = ("MessageGroupId", "MessageDeduplicationId")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,256}")
_SHOWN_PROBLEMS = 10
_T = TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True)
class Outgoing:
    """One message with Publish's own fields, and the number of its line."""

    number: int
    fields: dict[str, Any]
    size: int
    """Bytes that count against the limit of SNS or SQS."""


class Reader:
    """Reads messages for one destination; ``defaults`` are fields for those that do not say otherwise."""

    def __init__(self, destination: Destination, defaults: Mapping[str, Any], run_id: str | None = None) -> None:
        self._destination = destination
        self._run_id = uuid.uuid4().hex if run_id is None else run_id
        self._defaults = self._checked({"Message": "x", **defaults})
        del self._defaults["Message"]

    def message(self, text: str) -> Outgoing:
        """Take one text as the message; raises :class:`UsageError` when it cannot be sent."""
        try:
            return self.outgoing({"Message": text}, 1)
        except ValueError as error:
            raise UsageError(f"the message {error}") from error

    def lines(self, source: str, option: str) -> list[Outgoing]:
        """Read a file, or standard input for ``-``; raises :class:`UsageError` with every line that cannot be sent.

        Empty lines are skipped.
        """
        return read_lines(source, option, self._line, "cannot be sent, and nothing was")

    def outgoing(self, given: Mapping[str, Any], number: int) -> Outgoing:
        """Take these fields as a message; raises :class:`ValueError` when it cannot be sent."""
        return self._outgoing(self._checked(given), number)

    def _line(self, line: bytes, number: int) -> Outgoing:
        try:
            text = line.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"is not UTF-8: {error.reason} at byte {error.start}") from error
        given = _object(text)
        return self._outgoing({"Message": text}, number) if given is None else self.outgoing(given, number)

    def _outgoing(self, fields: dict[str, Any], number: int) -> Outgoing:
        destination = self._destination
        fields = {**self._defaults, **fields}
        if destination.fifo:
            if "MessageGroupId" not in fields:
                raise ValueError("has no MessageGroupId, which FIFO needs: give it one, or all of them with --group")
            # Two equal lines are two messages, and the second would be dropped for five minutes.
            fields.setdefault("MessageDeduplicationId", f"{self._run_id}-{number}")
        elif "MessageDeduplicationId" in fields:
            raise ValueError("has a MessageDeduplicationId, which only FIFO takes")
        try:
            size = _size(fields)
        except UnicodeEncodeError as error:
            raise ValueError(f"has {error.object[error.start]!r}, half a character, which UTF-8 cannot hold") from error
        if size > destination.size_limit:
            raise ValueError(f"is {size} bytes, and {destination.name} takes at most {destination.size_limit}")
        if destination.name == "SQS" and not all(map(is_sendable, _texts(fields))):
            raise ValueError("has a character that SQS does not take, such as a NUL or another control character")
        return Outgoing(number, fields, size)

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        destination = self._destination
        unknown = sorted(given.keys() - {*destination.fields})
        if unknown:
            raise ValueError(f"has {', '.join(unknown)}; allowed are {', '.join(destination.fields)}")
        fields = {name: value for name, value in given.items() if value is not None or name == "Message"}
        fields["Message"] = _text(fields["Message"])
        if not fields["Message"]:
            raise ValueError(f"has an empty Message, which {destination.name} does not take")
        _check_subject(fields, destination)
        _check_order(fields, destination)
        _check_delay(fields, destination)
        if "MessageAttributes" in fields:
            fields["MessageAttributes"] = _attributes(fields["MessageAttributes"], destination)
        return fields


def read_lines(source: str, option: str, read: Callable[[bytes, int], _T], consequence: str) -> list[_T]:
    """Read each line of a file, or of standard input for ``-``, that is not empty; ``read`` gets its number, too.

    Raises :class:`UsageError` with the lines of which ``read`` says by a :class:`ValueError` what is wrong, and with
    the consequence of that for the whole file.
    """
    try:
        data = standard_input() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {source!r} cannot be read: {error.strerror}") from error
    found: list[_T] = []
    problems: list[str] = []
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(read(line, number))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        shown = [*problems[:_SHOWN_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]
        raise UsageError(f"{option} {source!r} {consequence}:\n" + "\n".join(shown))
    return found


def _text(message: Any) -> str:
    if isinstance(message, str):
        return message
    try:
        return json.dumps(message, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValueError("has a Message with NaN or Infinity in it, which are not JSON") from error


def _size(fields: Mapping[str, Any]) -> int:
    parts = [part for name, value in fields.get("MessageAttributes", {}).items() for part in (name, *value.values())]
    return sum(len(part.encode() if isinstance(part, str) else part) for part in (fields["Message"], *parts))


def _texts(fields: Mapping[str, Any]) -> list[str]:
    attributes = fields.get("MessageAttributes", {}).values()
    return [fields["Message"], *(one["StringValue"] for one in attributes if "StringValue" in one)]


def _check_subject(fields: Mapping[str, Any], destination: Destination) -> None:
    subject = fields.get("Subject", "s")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_LIMIT or not subject.isprintable():
        raise ValueError(
            f"has the Subject {subject!r}; {destination.name} takes 1 to {_SUBJECT_LIMIT} printable characters"
        )


def _check_order(fields: Mapping[str, Any], destination: Destination) -> None:
    for name in _ORDER:
        if name in fields and not (isinstance(fields[name], str) and 0 < len(fields[name]) <= _ORDER_LIMIT):
            raise ValueError(
                f"has the {name} {fields[name]!r}; {destination.name} takes 1 to {_ORDER_LIMIT} characters"
            )


def _check_delay(fields: Mapping[str, Any], destination: Destination) -> None:
    if "DelaySeconds" not in fields:
        return
    if destination.fifo:
        raise ValueError("has DelaySeconds, which FIFO does not take for one message")
    delay = fields["DelaySeconds"]
    if type(delay) is not int or not 0 <= delay <= _LONGEST_DELAY_SECONDS:
        raise ValueError(f"has DelaySeconds {delay!r}; SQS takes 0 to {_LONGEST_DELAY_SECONDS}")


def _object(text: str) -> dict[str, Any] | None:
    """Read the line as an object with a Message; anything else is itself the message."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and "Message" in value else None


def _attributes(given: Any, destination: Destination) -> dict[str, dict[str, Any]]:
    if not isinstance(given, dict):
        raise ValueError(f"has the MessageAttributes {given!r}; they must be an object of attributes by name")
    if destination.attribute_limit is not None and len(given) > destination.attribute_limit:
        raise ValueError(f"has {len(given)} MessageAttributes; {destination.name} takes {destination.attribute_limit}")
    return {name: _attribute(name, value, destination) for name, value in given.items()}


def _attribute(name: str, given: Any, destination: Destination) -> dict[str, Any]:
    if not _ATTRIBUTE_NAME.fullmatch(name):
        raise ValueError(f"has the message attribute {name!r}; names are 1 to 256 letters, digits, _, - and .")
    match given:
        case {"DataType": str(kind)} if not destination.attribute_kind.fullmatch(kind):
            raise ValueError(
                f"has the message attribute {name} with the DataType {kind!r}; "
                f"{destination.name} takes {destination.attribute_kinds}"
            )
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
