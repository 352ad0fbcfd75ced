"""The server's process, and what the bench asks it for."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.scale.cluster import Life

_ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What the server has counted so far; ``waits`` and ``most_reads`` are of the time that was asked for."""

    requests: Mapping[tuple[str, str, bool], int]
    most_reads: int
    runs: Mapping[str, int]
    unfinished: int
    deleted: int
    waits: Sequence[float]
    left: int
    in_flight: int
    alive: int
    twice_at_once: int

    def requests_since(self, earlier: Report | None = None) -> Counter[str]:
        """Count the watchers' requests by operation, of all time or since then."""
        return self.throttled_since(earlier) + _by_operation(self, earlier, throttled=False)

    def throttled_since(self, earlier: Report | None = None) -> Counter[str]:
        """Count those of them that were throttled."""
        return _by_operation(self, earlier, throttled=True)


def _by_operation(report: Report, earlier: Report | None, *, throttled: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (client, operation, was_throttled), count in report.requests.items():
        # The bench's own requests are not signed.
        if client and was_throttled is throttled:
            counts[operation] += count
    return counts if earlier is None else counts - _by_operation(earlier, None, throttled=throttled)


class Cloud:
    """Runs while the ``with`` block does."""

    def __init__(self, life: Life) -> None:
        self._life = life

    def __enter__(self) -> Cloud:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.scale.server", json.dumps(dataclasses.asdict(self._life))],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def fill(self, count: int) -> set[str]:
        """Put as many new messages into the queue; gives their ids."""
        return set(self._ask("Fill", count=count)["ids"])

    def adopt(self, count: int) -> set[str]:
        """Have as many tasks run already, whose messages another watcher has received before and nobody holds."""
        return set(self._ask("Adopt", count=count)["ids"])

    def report(self, since: float = 0.0) -> Report:
        """Read the counts."""
        found = self._ask("Report", since=since)
        requests = {(client, name, no): count for client, name, no, count in found.pop("requests")}
        return Report(requests=requests, **found)

    def _ask(self, operation: str, **fields: Any) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url, data=json.dumps(fields).encode(), headers={"X-Amz-Target": f"Bench.{operation}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            answered: dict[str, Any] = json.load(answer)
            return answered
