"""What the watchers' log lines add up to."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

from watchbot.contract import Event, Outcome
from watchbot.journal import Entry
from watchbot.result import FAILURES


@dataclasses.dataclass(frozen=True)
class Summary:
    """A finished run in numbers; ``failed`` and ``retried`` count runs, the others messages, times are seconds."""

    sent: int
    succeeded: int
    failed: int
    retried: int
    dead_lettered: int
    messages_per_second: float
    job_p50_seconds: float
    job_p95_seconds: float
    dead_letters: list[dict[str, Any]]


class Tally:
    """Counts what is read from the log of every watcher."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._running: set[str] = set()
        self._durations: list[float] = []
        self._began_at: float | None = None
        self._ended_at = 0.0
        self.succeeded = 0
        self.failed = 0
        self.retried = 0
        self.removed = 0
        self.start_failure: str | None = None

    def add(self, entry: Entry) -> None:
        """Count one line."""
        match entry.event:
            case Event.JOB_STARTED if entry.message_id is not None:
                self._began_at = self._now() if self._began_at is None else self._began_at
                self._running.add(entry.message_id)
            case Event.JOB_FINISHED if entry.message_id is not None:
                self._running.discard(entry.message_id)
                self._finished(entry)
            case Event.MESSAGE_IGNORED:
                self.removed += 1
            case Event.JOB_START_FAILED:
                self.start_failure = str(entry.fields.get("reason"))
            case _:
                pass

    @property
    def running(self) -> int:
        """Jobs that have started and not finished."""
        return len(self._running)

    def _finished(self, entry: Entry) -> None:
        outcome, settlement = entry.fields.get("outcome"), entry.fields.get("settlement")
        self._ended_at = self._now()
        self._durations.append(float(entry.fields.get("duration_seconds", 0)))
        self.succeeded += outcome == Outcome.SUCCEEDED
        self.failed += outcome in FAILURES
        self.retried += settlement == "returned"
        self.removed += settlement in ("deleted", "dead_lettered")

    def summary(self, sent: int, dead_letters: list[dict[str, Any]]) -> Summary:
        """Add everything up."""
        elapsed = 0.0 if self._began_at is None else self._ended_at - self._began_at
        cuts = statistics.quantiles(self._durations, n=20, method="inclusive") if len(self._durations) > 1 else None
        only = self._durations[0] if self._durations else 0.0
        return Summary(
            sent=sent,
            succeeded=self.succeeded,
            failed=self.failed,
            retried=self.retried,
            dead_lettered=len(dead_letters),
            messages_per_second=round(self.removed / elapsed, 1) if elapsed > 0 else 0.0,
            job_p50_seconds=round(only if cuts is None else cuts[9], 3),
            job_p95_seconds=round(only if cuts is None else cuts[18], 3),
            dead_letters=dead_letters,
        )
