"""A queue in the embedded AWS, seen as the simulator sees its own; and the jobs that are sent to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.scaling.real.compressed_clock import CompressedClock
from watchbot_cli.local.emulator import Emulator
from watchbot_cli.simulation.workload import Workload

_VISIBLE = "ApproximateNumberOfMessages"
_IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"
_BATCH = 10


class RealQueue:
    """What SQS says of itself when asked."""

    def __init__(self, emulator: Emulator, name: str) -> None:
        self._sqs: Any = emulator.client("sqs")
        self.dead_letter_url: str = self._sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        self.url: str = self._sqs.create_queue(QueueName=name)["QueueUrl"]

    @property
    def visible(self) -> Sequence[int]:
        """As many as there are visible messages."""
        return range(self._count(_VISIBLE))

    @property
    def in_flight(self) -> int:
        """How many messages are in flight."""
        return self._count(_IN_FLIGHT)

    def send(self, bodies: Sequence[str]) -> None:
        """Send messages, ten at a time."""
        for first in range(0, len(bodies), _BATCH):
            entries = [
                {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[first : first + _BATCH])
            ]
            self._sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def _count(self, name: str) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return int(answer["Attributes"][name])


class Sender:
    """Sends the jobs of a workload when they are due: the body says which it is, and its real seconds."""

    def __init__(self, clock: CompressedClock, queue: RealQueue, workload: Workload) -> None:
        self._clock = clock
        self._queue = queue
        self._workload = workload
        self.sent = 0

    def send(self, _: object = None) -> None:
        """Send what is due."""
        sent, first = self._workload.sent, self.sent
        while self.sent < len(sent) and sent[self.sent] <= self._clock.now:
            self.sent += 1
        scale = self._clock.scale
        self._queue.send([f"{job} {self._workload.durations[job] * scale:g}" for job in range(first, self.sent)])
        if self.sent < len(sent):
            self._clock.at(sent[self.sent], self.send)
