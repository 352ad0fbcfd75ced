"""From what was seen to figures: pure arithmetic, and the targets to hold."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Target
from bench.scale.limits import READS
from bench.scale.scenario import Findings

_CPU_PERCENT = 10
_MEMORY_MIB = 128
_THREADS = 50
_DRAIN_SECONDS = 15
_ADOPT_SECONDS = 3600
"""ECS shows stopped tasks for an hour: what is found later than that may have to run again."""


def quantile(values: Sequence[float], share: float) -> float:
    """Give the value that this share of all is not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def reads_a_second(found: Findings) -> float:
    """Give DescribeTasks and ListTasks together."""
    return sum(found.requests.get(name, 0) for name in READS) / found.seconds


def requests_a_task(found: Findings) -> float:
    """Give all requests of the window for each task settled in it."""
    return sum(found.requests.values()) / max(1, len(found.waits))


def targets(found: Findings) -> list[Target]:
    """Judge every promise; what a processor uses says nothing where there is no steady state to measure it in."""
    title = found.scenario.title
    always = [
        Target(f"{title}: messages lost", found.lost, 0, "", at_least=False),
        Target(f"{title}: two tasks of a message alive at once", found.twice_at_once, 0, "", at_least=False),
        Target(f"{title}: calls throttled", sum(found.throttled.values()), 0, "", at_least=False),
        Target(f"{title}: threads of a watcher", max(found.threads), _THREADS, "", at_least=False),
        Target(f"{title}: drain", max(found.drain_seconds), _DRAIN_SECONDS, "s", at_least=False),
    ]
    if found.scenario.window_seconds is None:
        return always
    steady = [
        Target(f"{title}: CPU of a watcher", max(found.cpu_shares) * 100, _CPU_PERCENT, "% of a core", at_least=False),
        Target(f"{title}: peak memory", max(found.peak_bytes) / 2**20, _MEMORY_MIB, "MiB", at_least=False),
    ]
    if found.scenario.adopted:
        steady.append(Target(f"{title}: all tasks adopted", found.ready_seconds, _ADOPT_SECONDS, "s", at_least=False))
    return steady + always
