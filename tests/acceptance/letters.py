"""Dead letters as they come about: sent by the watcher, with its reason, in an envelope or not."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from watchbot.contract import DEAD_LETTER_RECEIVE_COUNT, Description
from watchbot.dead_letter import dead_letter_fields
from watchbot.message import Message
from watchbot_cli.local.emulator import Emulator


def envelope(message: str, **fields: Any) -> str:
    """Give a body as a topic delivers it."""
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": message, **fields})


def put(
    sqs: Any,
    service: Description,
    *bodies: str,
    reason: str = "exit code 1",
    group: str | None = None,
    prefix: str = "m",
) -> None:
    """Put dead letters into the queue as the watcher does; the n-th was called ``m-n`` in the work queue."""
    entries = []
    for number, body in enumerate(bodies):
        system = {"ApproximateReceiveCount": "3"} | ({} if group is None else {"MessageGroupId": group})
        given = {"number": {"DataType": "Number", "StringValue": str(number)}}
        message = Message(f"{prefix}-{number}", "", body, system, given, 0.0)
        fields = dead_letter_fields(message, reason, fifo=group is not None)
        fields["MessageAttributes"][DEAD_LETTER_RECEIVE_COUNT] = {"DataType": "Number", "StringValue": "3"}
        entries.append({"Id": str(number), **fields})
    for start in range(0, len(entries), 10):
        answer = sqs.send_message_batch(QueueUrl=service.dead_letter_queue_url, Entries=entries[start : start + 10])
        assert not answer.get("Failed")


def received(sqs: Any, queue_url: str) -> list[dict[str, Any]]:
    """Take everything out of a queue, in the order in which it comes."""
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    ).get("Messages", []):
        found += messages
        entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
    return found


def log(emulator: Emulator, service: Description, streams: Mapping[str, Sequence[str]]) -> None:
    """Write lines into the service's log, as its containers do."""
    logs = emulator.client("logs")
    for stream, lines in streams.items():
        logs.create_log_stream(logGroupName=service.log_group, logStreamName=stream)
        now = int(time.time() * 1000)
        events = [{"timestamp": now + number, "message": line} for number, line in enumerate(lines)]
        logs.put_log_events(logGroupName=service.log_group, logStreamName=stream, logEvents=events)
