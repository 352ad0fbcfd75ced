from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest

from watchbot.job import Job, NoJob
from watchbot.message import Message
from watchbot.opener import EnvelopeOpener
from watchbot.payload import _POINTERS

ENVELOPE = {
    "Type": "Notification",
    "MessageId": "sns-id",
    "TopicArn": "arn:aws:sns:eu-west-1:123456789012:topic",
    "Subject": "hello",
    "Message": "the text",
    "Timestamp": "2026-01-01T00:00:00.000Z",
    "MessageAttributes": {"colour": {"Type": "String", "Value": "red"}, "raw": {"Type": "Binary", "Value": "AAE="}},
}


def _open(body: str, attributes: dict[str, Any] | None = None, **system: str) -> Job:
    job = asyncio.run(EnvelopeOpener().open(Message("id", "handle", body, system, attributes or {}, 0)))
    assert isinstance(job, Job)
    return job


def test_an_sns_envelope_is_opened() -> None:
    job = _open(json.dumps(ENVELOPE))
    assert (job.text, job.subject) == ("the text", "hello")
    assert job.attributes == ENVELOPE["MessageAttributes"]


@pytest.mark.parametrize(
    "body",
    [
        "plain text",
        "",
        "{",
        "[1]",
        "null",
        json.dumps({"Message": "mine", "Subject": "mine too"}),
        json.dumps({"Type": "Notification", "Message": "no topic"}),
        json.dumps({"TopicArn": "arn", "Message": "no type"}),
        json.dumps({**ENVELOPE, "Message": {"not": "text"}}),
        json.dumps({**ENVELOPE, "Type": "SubscriptionConfirmation"}),
        "{" * 100_000,
        '{"Type": ' + "9" * 5000 + "}",
    ],
)
def test_any_other_body_is_the_text_itself(body: str) -> None:
    job = _open(body)
    assert (job.text, job.subject) == (body, None)


TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-01-01T00:00:00.000Z",
    "Bucket": "bucket",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


@pytest.mark.parametrize("body", [TEST_EVENT, {**ENVELOPE, "Message": json.dumps(TEST_EVENT)}])
def test_s3s_test_of_a_notification_is_no_job(body: dict[str, Any]) -> None:
    opened = asyncio.run(EnvelopeOpener().open(Message("id", "handle", json.dumps(body), {}, {}, 0)))
    assert opened == NoJob("a test event of S3")


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({**TEST_EVENT, "Event": "s3:TestEvents"}),
        json.dumps({**TEST_EVENT, "Event": ["s3:TestEvent"]}),
        json.dumps({**TEST_EVENT, "More": "of a sender's own"}),
        json.dumps({name: value for name, value in TEST_EVENT.items() if name != "HostId"}),
        json.dumps([TEST_EVENT]),
        json.dumps({"about": TEST_EVENT}),
        "s3:TestEvent",
        "{ s3:TestEvent",
        '{"s3:TestEvent": ' * 100_000,
    ],
)
def test_what_only_resembles_s3s_test_is_a_job(body: str) -> None:
    assert _open(body).text == body


def test_an_envelope_without_a_subject_has_none() -> None:
    body = {name: value for name, value in ENVELOPE.items() if name not in ("Subject", "MessageAttributes")}
    job = _open(json.dumps(body))
    assert (job.subject, dict(job.attributes)) == (None, {})


def test_attributes_look_the_same_from_sqs_and_from_sns() -> None:
    sent = {
        "colour": {"DataType": "String", "StringValue": "red"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
    }
    assert _open("x", sent).attributes == ENVELOPE["MessageAttributes"]


def test_a_body_that_came_through_the_webhook_passes_for_nothing_else() -> None:
    pointer = json.dumps([next(iter(_POINTERS)), {"s3BucketName": "ours", "s3Key": "a"}])
    marked = {"watchbot.WebhookTime": {"DataType": "Number", "StringValue": "1"}}
    for body in (json.dumps(ENVELOPE), pointer):
        opener = EnvelopeOpener("ours")
        message = Message("id", "handle", body, {}, marked, 0)
        job = asyncio.run(opener.open(message))
        assert isinstance(job, Job)
        assert (job.text, job.subject, job.pointer) == (body, None, None)
        assert opener.pointer_of(message) is None
        assert job.attributes == {"watchbot.WebhookTime": {"Type": "Number", "Value": "1"}}


def test_the_worker_sees_the_predecessors_variables() -> None:
    job = _open(
        json.dumps(ENVELOPE),
        SentTimestamp="1735689600123",
        ApproximateFirstReceiveTimestamp="1735689601000",
        ApproximateReceiveCount="2",
        MessageGroupId="g",
        AWSTraceHeader="Root=1-abc",
    )
    assert job.variables() == {
        "Message": "the text",
        "Subject": "hello",
        "MessageId": "id",
        "SentTimestamp": "2025-01-01T00:00:00.123Z",
        "ApproximateFirstReceiveTimestamp": "2025-01-01T00:00:01.000Z",
        "ApproximateReceiveCount": "2",
        "MessageGroupId": "g",
        "MessageAttributes": json.dumps(ENVELOPE["MessageAttributes"]),
        "_X_AMZN_TRACE_ID": "Root=1-abc",
    }


def test_a_traceparent_attribute_becomes_the_variable_that_tracers_read() -> None:
    job = _open("x", {"traceparent": {"DataType": "String", "StringValue": "00-1-2-01"}})
    assert job.variables()["TRACEPARENT"] == "00-1-2-01"


def test_of_an_envelopes_attributes_only_what_sns_writes_is_taken() -> None:
    envelope = {**ENVELOPE, "MessageAttributes": {"a": {"Type": "String", "Value": "x", "More": math.nan}, "b": {}}}
    assert _open(json.dumps(envelope)).attributes == {"a": {"Type": "String", "Value": "x"}}
