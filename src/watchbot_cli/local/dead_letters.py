"""What a run has left in its dead-letter queues."""

from __future__ import annotations

from typing import Any

from watchbot.opener import envelope_in
from watchbot_cli.dead_letter.letter import Letter

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
        letters += [_shown(service, Letter.from_sqs(message)) for message in received]
        # Of a FIFO queue nobody gets the next of a group before these are gone.
        handles = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(received)]
        sqs.delete_message_batch(QueueUrl=queue_url, Entries=handles)


def _shown(service: str, letter: Letter) -> dict[str, Any]:
    envelope = envelope_in(letter.body)
    message = letter.body if envelope is None else str(envelope["Message"])
    return {
        "service": service,
        "message_id": letter.message_id,
        "message": message[:_SHOWN_CHARACTERS],
        "reason": letter.reason,
    }
