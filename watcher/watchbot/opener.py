"""Opening a message: from what SQS delivered to what the sender meant."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Protocol

from watchbot.contract import WEBHOOK_TIME, WEBHOOK_TYPE
from watchbot.job import Job, NoJob, portable_attributes
from watchbot.message import Message
from watchbot.payload import POINTER_ATTRIBUTES, Pointer, pointer_in
from watchbot.result import Result
from watchbot.setup_message import setup_message
from watchbot.signature import is_from_webhook


class Opener(Protocol):
    """Turns a message into a job; it may do I/O, and may refuse the message with a result that needs no worker."""

    async def open(self, message: Message) -> Job | Result | NoJob:
        """Open the message, or say what is to become of it unopened."""


class EnvelopeOpener:
    """Takes a message out of the envelope that an SNS topic puts around it, and recognises pointers to payloads.

    An envelope is recognised by ``Type`` and ``TopicArn`` together, never by guessing:
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html. Any other body is itself the text. A
    text that points into ``payload_bucket`` stands for the object there. What AWS sends to set a source up, or to test
    it, is no job. A body that came through the webhook is itself the text whatever it looks like: no caller from
    outside can pass for the topic or for AWS, or have an object read.
    """

    def __init__(self, payload_bucket: str | None = None) -> None:
        self._payload_bucket = payload_bucket

    async def open(self, message: Message) -> Job | NoJob:
        """Open the message; no body is refused."""
        job = self._open(message)
        if job.text is None or is_from_webhook(message):
            return job
        known = setup_message(job.text, is_body=job.text is message.body)
        return job if known is None else NoJob(known)

    def pointer_of(self, message: Message) -> Pointer | None:
        """Give the pointer that a message is."""
        return self._open(message).pointer

    def _open(self, message: Message) -> Job:
        if message.stored is not None:
            # Of what was said by it only the beginning is left here.
            stored = message.stored
            text = None if stored.pointer is not None else stored.beginning.decode(errors="ignore")
            return Job(message, text, stored.subject, pointer=stored.pointer)
        if is_from_webhook(message):
            theirs = portable_attributes(message.message_attributes)
            theirs[WEBHOOK_TIME]["Type"] = WEBHOOK_TYPE  # the note of a verified caller is the watcher's alone
            return Job(message, message.body, attributes=theirs)
        envelope = envelope_in(message.body)
        if envelope is None:
            job = Job(message, message.body, attributes=portable_attributes(message.message_attributes))
        else:
            subject = envelope.get("Subject")
            subject = subject if isinstance(subject, str) else None
            job = Job(message, envelope["Message"], subject, _attributes(envelope.get("MessageAttributes")))
        pointer = pointer_in(job.text or "", self._payload_bucket)
        if pointer is None:
            return job
        attributes = {name: value for name, value in job.attributes.items() if name not in POINTER_ATTRIBUTES}
        return dataclasses.replace(job, text=None, attributes=attributes, pointer=pointer)


def envelope_in(body: str) -> dict[str, Any] | None:
    """Read the envelope that SNS puts around a message; None for any other body."""
    if not body.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_envelope = (
        isinstance(value, dict)
        and value.get("Type") == "Notification"
        and isinstance(value.get("TopicArn"), str)
        and isinstance(value.get("Message"), str)
    )
    return value if is_envelope else None


def _attributes(value: Any) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        return {}
    return {name: {"Type": one["Type"], "Value": one["Value"]} for name, one in value.items() if _is_attribute(one)}


def _is_attribute(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("Type"), str) and isinstance(value.get("Value"), str)
