"""Whatever a message is, its worker gets exactly that: no exception, no guess, nothing cut."""

from __future__ import annotations

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from tests.property.messages import ANY_TEXT, JSON_VALUE, MESSAGES, Sent, as_bytes
from watchbot.job import Job
from watchbot.message import Message
from watchbot.opener import EnvelopeOpener
from watchbot.worker_environment import WorkerEnvironment

_BASE = {b"PATH": b"/bin", b"MESSAGE": b"not ours"}
_LONGEST = 131_072
"""Bytes of a variable with its name, the = and the NUL at its end."""


def _open(body: str, sent: Sent | None = None) -> Job:
    attributes = {"SentTimestamp": "1735689600123", "ApproximateReceiveCount": "1"}
    received = {"MessageId": "id", "ReceiptHandle": "handle", "Body": body, "Attributes": attributes}
    message = Message.from_sqs(received | {"MessageAttributes": sent.sqs_attributes if sent else {}}, 0)
    job = asyncio.run(EnvelopeOpener().open(message))
    assert isinstance(job, Job)
    return job


def _can_be_a_variable(name: str, value: str) -> bool:
    return "\0" not in value and len(name) + len(as_bytes(value)) + 2 <= _LONGEST


@given(MESSAGES)
def test_a_worker_sees_exactly_what_was_sent(sent: Sent) -> None:
    job = _open(sent.body, sent)
    assert (job.text, job.subject, dict(job.attributes)) == (sent.text, sent.subject, sent.attributes)
    environment = WorkerEnvironment(_BASE).of_job(job.variables())
    for name, value in (("Message", sent.text), ("Subject", sent.subject)):
        found = environment.get(name.encode())
        assert found == (as_bytes(value) if value is not None and _can_be_a_variable(name, value) else None)
    if sent.attributes and b"MessageAttributes" in environment:
        shown = environment[b"MessageAttributes"].decode("utf-8", "surrogatepass")
        assert json.loads(shown) == sent.attributes
    assert environment.items() >= _BASE.items()
    for name_, value_ in environment.items():
        assert b"\0" not in name_ + value_
        assert len(name_ + b"=" + value_ + b"\0") <= _LONGEST


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "Type": st.sampled_from(["Notification", "notification", ["Notification"], None]),
            "TopicArn": st.just("arn") | JSON_VALUE,
            "Message": st.just("text") | JSON_VALUE,
            "Subject": JSON_VALUE,
        },
    )
)
def test_only_what_is_an_envelope_in_every_part_is_opened(fields: dict[str, object]) -> None:
    """Near misses: JSON that has the names of an envelope, and anything at all as their values."""
    body = json.dumps(fields)
    job = _open(body)
    is_envelope = (
        fields.get("Type") == "Notification"
        and isinstance(fields.get("TopicArn"), str)
        and isinstance(fields.get("Message"), str)
    )
    assert job.text == (fields["Message"] if is_envelope else body)
    WorkerEnvironment(_BASE).of_job(job.variables())


@given(JSON_VALUE, JSON_VALUE)
def test_an_envelope_with_nonsense_beside_its_message_is_opened_all_the_same(
    subject: object, attributes: object
) -> None:
    envelope = {"Type": "Notification", "TopicArn": "arn", "Message": "text", "Subject": subject}
    job = _open(json.dumps(envelope | {"MessageAttributes": attributes}))
    assert job.text == "text"
    assert job.subject == (subject if isinstance(subject, str) else None)
    WorkerEnvironment(_BASE).of_job(job.variables())


@given(ANY_TEXT)
def test_no_body_is_refused(body: str) -> None:
    assert _open(body).text == body or '"Notification"' in body
