"""A queue and its dead-letter queue in the embedded AWS."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

from watchbot_cli.local.emulator import Emulator

_PATIENCE_SECONDS = 60


class Queues:
    """Made for one test; ``max_receive_count`` is what SQS's own redrive has."""

    def __init__(self, emulator: Emulator, name: str, *, fifo: bool = False, max_receive_count: int = 10) -> None:
        self.emulator = emulator
        self.sqs: Any = emulator.client("sqs")
        self._fifo = fifo
        name = re.sub("[^A-Za-z0-9]+", "-", name)[-60:]
        suffix, kind = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        self.dead_letter_url = self._create(f"{name}-dead{suffix}", kind)
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead_letter_url, AttributeNames=["QueueArn"])["Attributes"]
        redrive = json.dumps({"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": max_receive_count})
        self.url = self._create(f"{name}{suffix}", {**kind, "RedrivePolicy": redrive})

    def _create(self, name: str, attributes: dict[str, str]) -> str:
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def send(self, *bodies: str, group: str = "g") -> list[str]:
        """Send messages; gives their ids."""
        ids = []
        for number, body in enumerate(bodies):
            order = {"MessageGroupId": group, "MessageDeduplicationId": f"{group}{number}"} if self._fifo else {}
            ids.append(self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **order)["MessageId"])
        return ids

    def waiting(self) -> tuple[int, int]:
        """How many messages are visible, and how many are in flight or delayed."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def becomes(self, visible: int, hidden: int) -> None:
        """Wait until so many messages are visible, and so many in flight or delayed."""
        until, pause = time.monotonic() + _PATIENCE_SECONDS, threading.Event()
        while (found := self.waiting()) != (visible, hidden):
            assert time.monotonic() < until, f"{found} in the queue, not {(visible, hidden)}"
            pause.wait(0.02)

    def dead_letters(self) -> list[dict[str, Any]]:
        """Receive what is in the dead-letter queue."""
        letters: list[dict[str, Any]] = self.sqs.receive_message(
            QueueUrl=self.dead_letter_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        ).get("Messages", [])
        return letters
