"""Watchers at work, and what was seen of it."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.scale.cloud import Cloud, Report
from bench.scale.cluster import Life
from bench.scale.watchers import Usage, WatcherError, Watchers

_NEARLY_ALL = 0.97
"""Between the end of a task and the launch of the next its slot is empty."""

_PATIENCE_SECONDS = 900.0
_LOOK_SECONDS = 1.0

Advance = Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Scenario:
    """So many watchers with so many slots each; their tasks run already, or are all to be launched.

    They are measured for ``window_seconds`` once all slots are taken; without a window, from the start until
    ``settled`` messages are done with, among them one that has failed before if some are to fail.
    """

    title: str
    watchers: int
    workers: int
    life: Life
    adopted: int = 0
    new: int = 0
    window_seconds: float | None = None
    settled: int = 0

    @property
    def tasks(self) -> int:
        """How many tasks there are room for."""
        return self.watchers * self.workers


@dataclasses.dataclass(frozen=True, slots=True)
class Findings:
    """What was seen: of each watcher, of the window, and over all.

    ``ready_seconds`` is how long it took to launch or adopt all tasks, ``waits`` how long after the end of each task
    its message was deleted.
    """

    scenario: Scenario
    ready_seconds: float
    seconds: float
    cpu_shares: Sequence[float]
    peak_bytes: Sequence[int]
    threads: Sequence[int]
    drain_seconds: Sequence[float]
    requests: Mapping[str, int]
    throttled: Mapping[str, int]
    throttled_before: Mapping[str, int]
    most_reads: int
    waits: Sequence[float]
    runs: Mapping[str, int]
    deleted: int
    left: int
    unfinished: int
    twice_at_once: int

    @property
    def lost(self) -> int:
        """Messages that are gone though no task of theirs has succeeded, or that are nowhere."""
        return self.unfinished + self.scenario.adopted + self.scenario.new - self.deleted - self.left


@dataclasses.dataclass(frozen=True, slots=True)
class _Look:
    at: float
    report: Report
    usage: Sequence[Usage]


def play(scenario: Scenario, advance: Advance) -> Findings:
    """Have it happen; raises :class:`WatcherError`."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Cloud(scenario.life) as cloud:
        awaited = cloud.adopt(scenario.adopted) if scenario.adopted else set()
        cloud.fill(scenario.new)
        with Watchers(cloud.url, Path(folder), scenario.watchers, scenario.workers) as watchers:
            began_at = time.time()
            first = _Look(began_at, cloud.report(), watchers.usage())
            if scenario.window_seconds is None:
                ready_at = began_at
                _until(lambda: _is_settled(scenario, cloud.report()), lambda: advance(scenario.title))
            else:
                ready_at = _until_steady(scenario, cloud, watchers, awaited, advance)
                first = _Look(time.time(), cloud.report(), watchers.usage())
                _pass(scenario, advance)
            last = _Look(time.time(), cloud.report(first.at), watchers.usage())
            advance(f"{scenario.title}: draining")
            drained = watchers.stop()
        return _findings(scenario, ready_at - began_at, first, last, drained, cloud.report())


def _is_settled(scenario: Scenario, report: Report) -> bool:
    repeated = any(int(runs) > 1 for runs in report.runs)
    return report.deleted >= scenario.settled and (repeated or not scenario.life.failing_share)


def _until_steady(scenario: Scenario, cloud: Cloud, watchers: Watchers, awaited: set[str], advance: Advance) -> float:
    """Wait until every slot has a task and those adopted are all found; gives when that was."""

    def ready() -> bool:
        taken_up = watchers.taken_up()
        return awaited <= taken_up and len(taken_up) >= _NEARLY_ALL * scenario.tasks

    def tell() -> None:
        watchers.usage()
        advance(f"{scenario.title}: {len(watchers.taken_up())} tasks taken up")

    ready_at = _until(ready, tell)
    # What was launched last has to start first, and what has ended meanwhile to be settled.
    _until(lambda: time.time() >= ready_at + scenario.life.start_seconds[1], tell)
    _until(lambda: cloud.report().alive >= _NEARLY_ALL * scenario.tasks, tell)
    return ready_at


def _pass(scenario: Scenario, advance: Advance) -> None:
    ends_at = time.time() + (scenario.window_seconds or 0)
    while (left := ends_at - time.time()) > 0:
        advance(f"{scenario.title}: measuring, {left:.0f} s")
        time.sleep(min(left, 5 * _LOOK_SECONDS))


def _until(done: Callable[[], bool], tell: Callable[[], None]) -> float:
    give_up_at = time.time() + _PATIENCE_SECONDS
    while not done():
        tell()
        if time.time() >= give_up_at:
            raise WatcherError(f"what was waited for has not come in {_PATIENCE_SECONDS:g} seconds")
        time.sleep(_LOOK_SECONDS)
    return time.time()


def _findings(
    scenario: Scenario, ready_seconds: float, first: _Look, last: _Look, drained: Sequence[float], end: Report
) -> Findings:
    seconds = last.at - first.at
    used = zip(first.usage, last.usage, strict=True)
    return Findings(
        scenario=scenario,
        ready_seconds=ready_seconds,
        seconds=seconds,
        cpu_shares=[(after.cpu_seconds - before.cpu_seconds) / seconds for before, after in used],
        peak_bytes=[usage.peak_bytes for usage in last.usage],
        threads=[usage.threads for usage in last.usage],
        drain_seconds=drained,
        requests=dict(last.report.requests_since(first.report)),
        throttled=dict(last.report.throttled_since(first.report)),
        throttled_before=dict(first.report.throttled_since()),
        most_reads=last.report.most_reads,
        waits=last.report.waits,
        runs=end.runs,
        deleted=end.deleted,
        left=end.left,
        unfinished=end.unfinished,
        twice_at_once=end.twice_at_once,
    )
