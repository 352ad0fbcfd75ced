"""The way of a worker's lines into the log, and how many of them there may be."""

from __future__ import annotations

import asyncio
from typing import Protocol

from watchbot.allowance import Allowance
from watchbot.contract import Event, Metric
from watchbot.journal import Journal
from watchbot.metrics import Metrics

_BURST_SECONDS = 4
_KEPT_SECONDS = 1
_QUIET_BURST_SECONDS = 0.25
_QUIET_SHARE = 1 / 16


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
    worth may come at once; what is over the rate is dropped and counted. One second's more is kept for workers that
    say little: a flood would take each byte that the rate gives, and the others' lines with it.
    """

    def __init__(self, journal: Journal, metrics: Metrics, bytes_per_second: int) -> None:
        self._journal = journal
        self._metrics = metrics
        self._rate = bytes_per_second
        self._kept = bytes_per_second * _KEPT_SECONDS
        self._room = Allowance(bytes_per_second * _BURST_SECONDS + self._kept, 1 / bytes_per_second)

    def of_job(self, message_id: str) -> Lines:
        """Give the part of the log that belongs to the worker of one message."""
        quiet = Allowance(int(self._rate * _QUIET_BURST_SECONDS), 1 / (self._rate * _QUIET_SHARE))
        return _JobLines(self, message_id, quiet)

    def allows(self, size: int, *, quiet: bool) -> bool:
        """Take this many bytes of what the rate allows, if there is so much for workers that are quiet, or are not."""
        return self._room.take(asyncio.get_running_loop().time(), size, leaving=0 if quiet else self._kept)

    def line(self, message_id: str, text: str) -> None:
        """Log one line of the worker of this message."""
        self._journal.worker_line(message_id, text)

    def dropped(self, message_id: str, count: int) -> None:
        """Log and count how many lines of the worker of this message are missing."""
        self._metrics.add(Metric.LOG_LINES_DROPPED, count)
        self._journal.event(Event.LOG_LINES_DROPPED, message_id=message_id, level="warning", lines=count)


class _JobLines:
    def __init__(self, log: WorkerLog, message_id: str, quiet: Allowance) -> None:
        self._log = log
        self._message_id = message_id
        self._quiet = quiet

    def allows(self, size: int) -> bool:
        return self._log.allows(size, quiet=self._quiet.take(asyncio.get_running_loop().time(), size))

    def line(self, text: str) -> None:
        self._log.line(self._message_id, text)

    def dropped(self, count: int) -> None:
        self._log.dropped(self._message_id, count)
