"""What a run has left in its dead-letter queues."""

from __future__ import annotations

import json
from typing import Any

from watchbot.contract import DEAD_LETTER_MESSAGE_ID, DEAD_LETTER_REASON

_SHOWN_CHARACTERS = 200


def take_dead_letters(sqs: Any, service: str, queue_url: str) -> list[dict[str, Any]]:
    """Take every message out of a service's dead-letter queue; a long one is shown by its beginning."""
    letters: list[dict[str, Any]] = []
    while True:
        received = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get(
            "Messages", []
        )
        if not received:
            return letters
        letters += [_letter(service, message) for message in received]
        # Of a FIFO queue nobody gets the next of a group before these are gone.
        handles = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(received)]
        sqs.delete_message_batch(QueueUrl=queue_url, Entries=handles)


def _letter(service: str, message: dict[str, Any]) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})

    def attribute(name: str) -> str | None:
        value: str | None = attributes.get(name, {}).get("StringValue")
        return value

    body = message["Body"]
    try:
        envelope = json.loads(body)
        body = envelope["Message"] if "TopicArn" in envelope else body
    except (ValueError, TypeError, KeyError):
        pass
    return {
        "service": service,
        "message_id": attribute(DEAD_LETTER_MESSAGE_ID) or message["MessageId"],
        "message": body[:_SHOWN_CHARACTERS],
        "reason": attribute(DEAD_LETTER_REASON) or "received too often",
    }
