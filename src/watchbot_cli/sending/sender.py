"""Batches of messages sent, and an account of every one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from watchbot_cli.batching import batches
from watchbot_cli.crew import Crew
from watchbot_cli.sending.destination import Destination, Post
from watchbot_cli.sending.outgoing import Outgoing

THREADS = 16
"""Calls at once: thousands of messages a second from far away."""

_ATTEMPTS = 5
_FIRST_PAUSE_SECONDS = 0.1


class Sender:
    """Sends messages, several batches at once unless order counts, and knows at any time what became of which.

    ``sent`` are numbers of messages that were taken, ``doubtful`` those of calls that nobody has answered, and
    ``refused`` says why AWS did not take one.
    """

    def __init__(self, destination: Destination, post: Post, tell: Callable[[int], None]) -> None:
        self.sent: list[int] = []
        self.doubtful: set[int] = set()
        self.refused: dict[int, str] = {}
        self._destination = destination
        self._post = post
        self._tell = tell
        self._lock = threading.Lock()
        self._crew = Crew(1 if destination.fifo else THREADS, "send")

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Send everything; with FIFO, whose order counts, a refusal ends it.

        A call that is under way when this is interrupted is waited for.
        """
        size_limit = self._destination.size_limit
        waiting = batches(messages, lambda message: message.size, size_limit)

        def step() -> bool:
            with self._lock:
                batch = next(waiting, None)
            if batch is not None:
                self._send(batch)
            return batch is not None

        self._crew.run(step)

    def _send(self, batch: list[Outgoing]) -> None:
        """Send a batch; what AWS could not take though nothing is wrong with it is sent again, after a pause."""
        left = batch
        for attempt in range(1, _ATTEMPTS + 1):
            failed = self._call(left)
            refused = [line for line in failed if line.get("SenderFault") or attempt == _ATTEMPTS]
            with self._lock:
                self.refused |= {left[int(line["Id"])].number: _why(line) for line in refused}
            left = [left[int(line["Id"])] for line in failed if line not in refused]
            if self._destination.fifo and failed:
                self._give_up(failed, left)
                return
            if not left or self._crew.stopped.wait(_FIRST_PAUSE_SECONDS * 2**attempt):
                return

    def _give_up(self, failed: list[dict[str, Any]], left: list[Outgoing]) -> None:
        """Send nothing more: what came behind the failed one may be in the queue already."""
        self.refused |= {message.number: _why(failed[0]) for message in left}
        self._crew.stopped.set()

    def _call(self, batch: list[Outgoing]) -> list[dict[str, Any]]:
        entries = [self._destination.entry(message.fields, str(number)) for number, message in enumerate(batch)]
        numbers = {message.number for message in batch}
        with self._lock:
            self.doubtful |= numbers
        try:
            answer = self._post(entries)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                with self._lock:
                    self.doubtful -= numbers
            raise
        taken = [batch[int(line["Id"])].number for line in answer.get("Successful", [])]
        with self._lock:
            self.doubtful -= numbers
            self.sent += taken
        self._tell(len(taken))
        failed: list[dict[str, Any]] = answer.get("Failed", [])
        return failed


def _why(failed: dict[str, Any]) -> str:
    return str(failed.get("Message") or failed.get("Code"))


def written_ranges(numbers: Iterable[int]) -> str:
    """Write numbers as ranges: ``1-3, 5``."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
