"""What was asked, by whom, and what became of every message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from bench.scale.limits import READS
from bench.scale.task import Task


class Ledger:
    """Counts from the start of the server on; whoever reads it twice knows what has happened in between."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, bool]] = Counter()
        self._reads_by_second: Counter[int] = Counter()
        self._runs: Counter[int] = Counter()
        self._unfinished = 0
        self._settled: list[tuple[float, float]] = []

    def asked(self, client: str, operation: str, at: float, *, throttled: bool) -> None:
        """Count a request."""
        self._requests[client, operation, throttled] += 1
        if operation in READS:
            self._reads_by_second[int(at)] += 1

    def deleted(self, tasks: Sequence[Task], at: float) -> None:
        """Take down that a message is gone, which has had these tasks."""
        self._runs[len(tasks)] += 1
        ended = [task.stops_at for task in tasks if task.is_stopped(at) and task.exit_code == 0]
        if ended:
            self._settled.append((at, at - max(ended)))
        else:
            self._unfinished += 1

    def report(self, since: float) -> dict[str, Any]:
        """Give the counts, and of what was deleted since then how long after its task's end it was."""
        return {
            "requests": [[*key, count] for key, count in self._requests.items()],
            "most_reads": max((count for at, count in self._reads_by_second.items() if at >= since), default=0),
            "runs": self._runs,
            "unfinished": self._unfinished,
            "deleted": sum(self._runs.values()),
            "waits": [wait for at, wait in self._settled if at >= since],
        }
