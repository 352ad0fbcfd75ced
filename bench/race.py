"""One contender, one queue full of messages, one run."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.contender import Contender
from bench.network import Network, NetworkError
from bench.usage import cpu_seconds, peak_bytes
from watchbot_cli.local.emulator import Emulator

_LIMIT_SECONDS = 90.0
_TOPIC = "arn:aws:sns:us-east-1:000000000000:bench"


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """What came of it; everything is between the first receive and the last delete, but for the peak of memory."""

    contender: str
    messages: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    requests: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def cpu_per_message(self) -> float:
        """Processor seconds a message, workers included."""
        return self.cpu_seconds / self.messages

    @property
    def requests_per_message(self) -> float:
        """Requests a message."""
        return sum(self.requests.values()) / self.messages


class RaceError(Exception):
    """A contender has not done its work."""


class Track:
    """Queues in the embedded AWS, each used for one run only."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self._emulator = emulator
        self._sqs: Any = emulator.client("sqs")
        self._directory = directory
        self._numbers = itertools.count(1)

    def queue(self) -> str:
        """Make a queue; gives its path, which comes after an endpoint."""
        url: str = self._sqs.create_queue(QueueName=f"bench-{next(self._numbers)}")["QueueUrl"]
        return urlsplit(url).path

    def send(self, path: str, count: int) -> None:
        """Send as many messages, as SNS would put them into a queue."""
        for start in range(0, count, 10):
            entries = [{"Id": str(i), "MessageBody": envelope(i)} for i in range(start, min(start + 10, count))]
            self._sqs.send_message_batch(QueueUrl=self._emulator.endpoint_url + path, Entries=entries)

    def left(self, path: str) -> int:
        """Count the messages that are there, received or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self._emulator.endpoint_url + path, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def run(self, contender: Contender, command: Sequence[str], messages: int, delay_seconds: float) -> Run:
        """Fill a queue, start the contender, and wait until the last message is deleted."""
        path = self.queue()
        self.send(path, messages)
        network = Network(self._emulator.endpoint_url, delay_seconds, messages, _LIMIT_SECONDS)
        with network, self.start(contender, command, path, network.port) as (pid, log):
            try:
                network.wait_for_first()
                before = cpu_seconds(pid)
                traffic = network.wait_for_last()
                used, peak = cpu_seconds(pid) - before, peak_bytes(pid)
            except (NetworkError, FileNotFoundError, ValueError) as error:
                said = log.read_text(errors="replace").strip()[-2000:]
                raise RaceError(f"{contender.name}: {error}\n{said}") from error
        if left := self.left(path):
            raise RaceError(f"{contender.name} has left {left} messages")
        return Run(contender.name, messages, traffic.seconds, used, peak, traffic.requests)

    @contextlib.contextmanager
    def start(
        self, contender: Contender, command: Sequence[str], path: str, port: int, output: int | None = None
    ) -> Iterator[tuple[int, Path]]:
        """Have the contender running in the ``with`` block; gives its process id and what it says on stderr."""
        url = f"http://{contender.host}:{port}{path}"
        with tempfile.TemporaryDirectory(dir=self._directory) as folder:
            log = Path(folder, "stderr")
            scratch = Path(folder, "scratch")
            scratch.mkdir()
            environment = {
                "PATH": os.environ["PATH"],
                **self._emulator.environment(),
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                **contender.environment(url, scratch),
            }
            with log.open("wb") as errors:
                process = subprocess.Popen(
                    contender.argv(url, command),
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL if output is None else output,
                    stderr=errors,
                    start_new_session=True,
                )
            try:
                yield process.pid, log
            finally:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def envelope(number: int) -> str:
    """Give a message as SNS puts it into a queue: the only form that every contender takes."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": f"{number:08d}",
            "TopicArn": _TOPIC,
            "Subject": "bench",
            "Message": f'{{"number": {number}}}',
            "Timestamp": "2024-01-01T00:00:00.000Z",
        }
    )
