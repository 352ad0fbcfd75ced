"""The way of a worker's lines into the log, and how many of them there may be."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Protocol

from watchbot.contract import Event, Metric
from watchbot.journal import Journal
from watchbot.metrics import Metrics

_BURST_SECONDS = 4


class Lines(Protocol):
    """Where the lines of one worker go."""

    def allows(self, size: int) -> bool:
        """Whether this many more bytes may be logged now."""

    def line(self, text: str) -> None:
        """Take one line."""

    def dropped(self, count: int) -> None:
        """Hear that so many lines were left out."""


class WorkerLog:
    """The log of all workers of a watcher, bounded together.

    One worker that floods its output would otherwise cost everyone's time and hide what the others say. Four seconds'
    worth may come at once; what is over the rate is dropped and counted.
    """

    def __init__(self, journal: Journal, metrics: Metrics, bytes_per_second: int) -> None:
        self._journal = journal
        self._metrics = metrics
        self._rate = bytes_per_second
        self._room = float(bytes_per_second * _BURST_SECONDS)
        self._filled_at = 0.0

    def of_job(self, message_id: str) -> Lines:
        """Give the part of the log that belongs to the worker of one message."""
        return _JobLines(self, message_id)

    def allows(self, size: int) -> bool:
        """Take this many bytes of what the rate allows, if there is so much."""
        now = asyncio.get_running_loop().time()
        gained = max(0.0, now - self._filled_at) * self._rate
        self._room = min(self._room + gained, float(self._rate * _BURST_SECONDS))
        self._filled_at = now
        if size > self._room:
            return False
        self._room -= size
        return True

    def line(self, message_id: str, text: str) -> None:
        """Log one line of the worker of this message."""
        self._journal.worker_line(message_id, text)

    def dropped(self, message_id: str, count: int) -> None:
        """Say how many lines of the worker of this message were left out."""
        self._metrics.add(Metric.LOG_LINES_DROPPED, count)
        self._journal.event(Event.LOG_LINES_DROPPED, message_id=message_id, level="warning", lines=count)


@dataclasses.dataclass(frozen=True, slots=True)
class _JobLines:
    log: WorkerLog
    message_id: str

    def allows(self, size: int) -> bool:
        return self.log.allows(size)

    def line(self, text: str) -> None:
        self.log.line(self.message_id, text)

    def dropped(self, count: int) -> None:
        self.log.dropped(self.message_id, count)
