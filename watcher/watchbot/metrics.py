"""The observer that counts: CloudWatch metrics, as log lines in the Embedded Metric Format."""

from __future__ import annotations

import asyncio
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchbot.cause import cause_of
from watchbot.contract import METRIC_NAMESPACE, METRIC_SERVICE, Metric, Outcome
from watchbot.notice import (
    JobFinished,
    JobStarted,
    LeaseLost,
    Notice,
    Received,
    StartFailed,
    StartOverdue,
    Stopped,
    Unstopped,
)
from watchbot.strict_json import dump

VALUES_LIMIT = 100
"""Values that one object may hold for a metric; CloudWatch drops larger objects without a word.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

_FLUSH_SECONDS = 10.0
_STATE_SECONDS = 60.0

_UNITS = {
    Metric.WORKER_DURATION: "Milliseconds",
    Metric.WORKER_PENDING: "Milliseconds",
    Metric.RESPONSE_DURATION: "Milliseconds",
}

_COUNTED = {
    Outcome.SUCCEEDED: Metric.WORKER_SUCCESSES,
    Outcome.REJECTED: Metric.REJECTED,
    Outcome.NO_OP: Metric.NO_OPS,
    Outcome.DEAD_LETTERED: Metric.DEAD_LETTERED,
    Outcome.TIMED_OUT: Metric.TIMED_OUT,
    Outcome.INTERRUPTED: Metric.INTERRUPTED,
}


class Metrics:
    """Adds up what it hears and writes it every ten seconds, nothing while there is nothing to say."""

    def __init__(self, service: str, write: Callable[[str], None], now: Callable[[], float]) -> None:
        self._service = service
        self._write = write
        self._now = now
        self._counts: Counter[Metric] = Counter()
        self._values: defaultdict[Metric, list[float]] = defaultdict(list)
        self._running: set[str] = set()
        self._most_running = 0
        self._causes: set[str] = set()
        self._unplaced: set[str] = set()
        self._most_unplaced = 0
        self._unstopped: set[tuple[str, str | None]] = set()
        self._most_unstopped = 0

    def __call__(self, notice: Notice) -> None:
        """Count the notice."""
        match notice:
            case Received():
                self._counts[Metric.MESSAGE_RECEIVES] += 1
            case JobStarted(message, pending_seconds):
                self._values[Metric.WORKER_PENDING].append(pending_seconds * 1000)
                self._running.add(message.message_id)
                self._most_running = max(self._most_running, len(self._running))
                self._causes.clear()
                self._unplaced.discard(message.message_id)
            case JobFinished():
                self._finished(notice)
            case StartFailed(message, reason, _):
                self._start_failed(message.message_id, cause_of(reason))
            case StartOverdue(message):
                self._unplace(message.message_id)
            case Unstopped(message_id, _, _, task):
                self._unstopped.add((message_id, task))
                self._most_unstopped = max(self._most_unstopped, len(self._unstopped))
            case Stopped(message_id, task):
                self._unstopped.discard((message_id, task))
            case LeaseLost():
                self._counts[Metric.LEASE_LOST] += 1
            case _:
                pass

    def add(self, metric: Metric, count: int) -> None:
        """Count something that no notice tells of."""
        self._counts[metric] += count

    async def run(self) -> None:
        """Write every ten seconds, and each minute how things stand, until cancelled."""
        since_state = 0.0
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            since_state += _FLUSH_SECONDS
            if since_state >= _STATE_SECONDS:
                since_state = 0.0
                self._add_state()
            self.flush()

    def _add_state(self) -> None:
        """Add how many jobs ran, and how many workers waited to be started, at most at once since the last time.

        Zeros too: one ends the alarm of workers that do not start.
        """
        self._values[Metric.WATCHER_CONCURRENCY].append(self._most_running)
        self._values[Metric.UNPLACED_WORKERS].append(self._most_unplaced)
        self._most_running = len(self._running)
        self._most_unplaced = len(self._unplaced)
        # Not the zeros here: they would cost a metric of every service that never has one to count.
        if self._most_unstopped:
            self._values[Metric.UNSTOPPED_WORKERS].append(self._most_unstopped)
        self._most_unstopped = len(self._unstopped)

    def flush(self) -> None:
        """Write what has added up."""
        counts, self._counts = self._counts, Counter()
        measured, self._values = self._values, defaultdict(list)
        # CloudWatch takes no metric of an object that has NaN or an infinity in it.
        values = {metric: [one for one in ones if math.isfinite(one)] for metric, ones in measured.items()}
        first: dict[Metric, float | Sequence[float]] = {metric: count for metric, count in counts.items() if count}
        while first or any(values.values()):
            part = dict(first)
            first = {}
            for metric, all_of_them in values.items():
                if all_of_them:
                    part[metric] = [round(value, 3) for value in all_of_them[:VALUES_LIMIT]]
                    del all_of_them[:VALUES_LIMIT]
            self._write(dump(self._object(part)))

    def _start_failed(self, message_id: str, cause: str) -> None:
        self._unplace(message_id)
        if cause not in self._causes:
            # Once for each, until something starts again: causes are counted, not retries.
            self._causes.add(cause)
            self._counts[Metric.FAILED_WORKER_PLACEMENT] += 1

    def _unplace(self, message_id: str) -> None:
        self._unplaced.add(message_id)
        self._most_unplaced = max(self._most_unplaced, len(self._unplaced))

    def _finished(self, notice: JobFinished) -> None:
        result = notice.result
        self._unplaced.discard(notice.message.message_id)
        if result.forged:
            self._counts[Metric.INVALID_SIGNATURES] += 1
            return
        if notice.message.message_id in self._running:
            self._running.remove(notice.message.message_id)
            self._values[Metric.WORKER_DURATION].append(result.duration_seconds * 1000)
        if result.failed:
            self._counts[Metric.WORKER_ERRORS] += 1
        if result.outcome in _COUNTED:
            self._counts[_COUNTED[result.outcome]] += 1
        sent_at = notice.message.sent_at
        if sent_at is not None:
            self._values[Metric.RESPONSE_DURATION].append(max(0.0, self._now() - sent_at) * 1000)

    def _object(self, values: Mapping[Metric, float | Sequence[float]]) -> dict[str, Any]:
        described = [{"Name": metric.value, "Unit": _UNITS.get(metric, "Count")} for metric in values]
        directive = {"Namespace": METRIC_NAMESPACE, "Dimensions": [[METRIC_SERVICE]], "Metrics": described}
        about = {"Timestamp": int(self._now() * 1000), "CloudWatchMetrics": [directive]}
        return {
            "_aws": about,
            METRIC_SERVICE: self._service,
            **{metric.value: value for metric, value in values.items()},
        }
