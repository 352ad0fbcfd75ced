"""Messages of every kind that a queue may hold: SNS envelopes, AWS's own events, other JSON, and garbage."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

_AWKWARD = st.sampled_from(["\0", "\ud800", "\udfff", "\ufffe", "\x1b", "\r\n", '"', "\\", "$(", "{", "\U0001f600"])

ANY_TEXT = st.lists(st.text(st.characters(), max_size=30) | _AWKWARD, max_size=10).map(
    lambda parts: str(json.loads(json.dumps("".join(parts))))
)
"""Any code points, NUL and lone surrogates too: what JSON escapes can say, where two that pair are one character."""

SQS_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=300).map(
    lambda text: "".join(c for c in text if c in "\t\n\r" or c >= " ")
)
"""What SQS takes as a body or an attribute: https://www.w3.org/TR/REC-xml/#charsets."""

_SIZES = st.sampled_from([2047, 2048, 2049, 65_536, 131_062, 131_063, 131_064, 131_071, 131_072, 200_000])
"""Around every limit: of a line in the log, of a pipe, of an environment variable with its name."""

LONG_TEXT = st.builds(lambda unit, size: (unit * size)[:size], st.sampled_from(["x", "\u00e9", "ab\n"]), _SIZES)

JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)

_NAMES = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=40)

_NOT_UNWRAPPED = st.sampled_from(
    [
        '{"Subject": "mine", "Message": "mine too"}',
        '{"Type": "Notification", "Message": "no topic"}',
        '{"TopicArn": "arn:aws:sns:a:1:t", "Message": "no type"}',
        '{"Type": "Notification", "TopicArn": "arn:aws:sns:a:1:t"}',
        '{"Type": "Notification", "TopicArn": "arn:aws:sns:a:1:t", "Message": {"not": "text"}}',
        '{"Type": "Notification", "TopicArn": 1, "Message": "x"}',
        '{"Type": "UnsubscribeConfirmation", "TopicArn": "arn:aws:sns:a:1:t", "Message": "x"}',
        '[{"Type": "Notification", "TopicArn": "arn:aws:sns:a:1:t", "Message": "x"}]',
        '{"Type": "Notification", "TopicArn": "arn:aws:sns:a:1:t", "Message": "x"',
        "[" * 50_000,
        '{"a":' * 50_000,
        '{"number": ' + "9" * 10_000 + "}",
        '{"number": 1e999999}',
        '{"number": NaN}',
        "\ufeff{}",
        "\u00a0{}",
        "{",
        "null",
        " ",
    ]
)

_S3_EVENT = st.builds(
    lambda key, size: json.dumps(
        {
            "Records": [
                {
                    "eventVersion": "2.1",
                    "eventSource": "aws:s3",
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": "in"}, "object": {"key": key, "size": size}},
                }
            ]
        }
    ),
    ANY_TEXT,
    st.integers(0, 5 * 2**40),
)

_EVENTBRIDGE_EVENT = st.builds(
    lambda detail: json.dumps(
        {
            "version": "0",
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": "123456789012",
            "time": "2026-01-01T00:00:00Z",
            "region": "eu-west-1",
            "resources": [],
            "detail": detail,
        }
    ),
    JSON_VALUE,
)

_RAW_BODY = (
    SQS_TEXT.filter(bool)
    | LONG_TEXT
    | _NOT_UNWRAPPED
    | _S3_EVENT
    | _EVENTBRIDGE_EVENT
    | st.dictionaries(ANY_TEXT, JSON_VALUE, max_size=5).map(json.dumps)
)


@dataclasses.dataclass(frozen=True)
class Sent:
    """A body as SQS has it, and what its worker is to see of it."""

    body: str
    text: str
    subject: str | None
    attributes: Mapping[str, Mapping[str, str]]
    sqs_attributes: Mapping[str, Mapping[str, Any]]


@st.composite
def envelopes(draw: st.DrawFn) -> Sent:
    """Draw what SNS delivers without raw delivery; without a subject in half of the cases."""
    text = draw(ANY_TEXT | LONG_TEXT | _RAW_BODY)
    subject = draw(st.none() | ANY_TEXT)
    attribute = st.fixed_dictionaries(
        {"Type": st.sampled_from(["String", "Number", "Binary", "String.Array"]), "Value": ANY_TEXT}
    )
    attributes = draw(st.dictionaries(_NAMES, attribute, max_size=5))
    envelope = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:jobs",
        **({} if subject is None else {"Subject": subject}),
        "Message": text,
        "Timestamp": "2026-01-01T00:00:00.000Z",
        **({"MessageAttributes": attributes} if attributes else {}),
    }
    return Sent(json.dumps(envelope, indent=draw(st.sampled_from([None, 2]))), text, subject, attributes, {})


@st.composite
def raw_messages(draw: st.DrawFn) -> Sent:
    """Draw what somebody sends to the queue itself, with attributes of every type."""
    body = draw(_RAW_BODY)
    seen: dict[str, dict[str, str]] = {}
    sent: dict[str, dict[str, Any]] = {}
    for name in draw(st.lists(_NAMES, unique=True, max_size=5)):
        kind = draw(st.sampled_from(["String", "Number", "Binary", "String.mine"]))
        if kind == "Binary":
            value = draw(st.sampled_from([(b"\0\xff", "AP8="), (b"x", "eA=="), (b"\n" * 3, "CgoK")]))
            sent[name], seen[name] = {"DataType": kind, "BinaryValue": value[0]}, {"Type": kind, "Value": value[1]}
        else:
            text = str(draw(st.integers(-(10**9), 10**9))) if kind == "Number" else draw(SQS_TEXT.filter(bool))
            sent[name], seen[name] = {"DataType": kind, "StringValue": text}, {"Type": kind, "Value": text}
    return Sent(body, body, None, seen, sent)


MESSAGES = raw_messages() | envelopes()


def as_bytes(text: str) -> bytes:
    """UTF-8, in which a lone surrogate is what it would be as a character of its own."""
    return text.encode("utf-8", "surrogatepass")


def generated(count: int) -> list[Sent]:
    """So many messages to be worked on in one go, the same ones in every run."""
    messages: list[Sent] = []

    @settings(max_examples=count, phases=[Phase.generate])
    @given(MESSAGES)
    def collect(sent: Sent) -> None:
        messages.append(sent)

    collect()
    return messages
