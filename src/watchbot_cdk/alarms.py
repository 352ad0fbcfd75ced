"""Which alarms a service has, and when each goes off."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Duration

from watchbot_cdk.problems import between_problems, is_token, kind_problems, span_problems, whole_problems

PAGE = "docs/reference/alarms.md"
"""Watchbot's own page, as its repository names it."""

RUNBOOK = f"watchbot-cdk: {PAGE}"
"""Where people find it: this is no address, because there is none that all who run services could reach."""

_LONGEST_RUNBOOK_BASE = 500
_MOST = 1e12
_DAY_SECONDS = 86_400


def _count(name: str, value: float) -> Iterable[str]:
    return between_problems(name, value, 0, _MOST)


def _optional_count(name: str, value: float | None) -> Iterable[str]:
    return () if value is None else _count(name, value)


def _percent(name: str, value: float) -> Iterable[str]:
    return between_problems(name, value, 0, 100)


def _jobs(name: str, value: float) -> Iterable[str]:
    return whole_problems(name, value, 1, int(_MOST))


def _minutes(name: str, value: float) -> Iterable[str]:
    """Allow a day: CloudWatch looks back no further in steps of less than an hour.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    return whole_problems(name, value, 1, 1440)


def _five_minutes(name: str, value: float) -> Iterable[str]:
    return whole_problems(name, value, 1, 288)


def _span(name: str, value: Duration, shortest: int, longest: int) -> Iterable[str]:
    if is_token(value):
        yield f"{name} must be known at synthesis, got a value known only at deployment"
        return
    yield from span_problems(name, value, shortest, longest)


def _silence(name: str, value: Duration | None) -> Iterable[str]:
    return () if value is None else _span(name, value, 600, 7 * _DAY_SECONDS)


def _dwell(name: str, value: Duration | None) -> Iterable[str]:
    return () if value is None else _span(name, value, 0, 14 * _DAY_SECONDS)


def _checked(problems: Any, kind: type | None = None) -> Mapping[str, Any]:
    return {"problems": problems, "kind": kind}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterAlarm:
    """Goes off when at least ``threshold`` messages are in the dead-letter queue, and stays until they are gone."""

    threshold: float = dataclasses.field(default=1, metadata=_checked(_count))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MoreDeadLettersAlarm:
    """Goes off when a minute brings at least ``threshold`` messages to others in the dead-letter queue."""

    threshold: float = dataclasses.field(default=1, metadata=_checked(_count))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class QueueSizeAlarm:
    """Goes off when more than ``threshold`` messages wait, on average of each of ``periods`` times five minutes.

    :param threshold: by default 40 where the number of watchers is fixed; with Scaling there is no such alarm by
        default, for it starts as many as the messages need.
    """

    threshold: float | None = dataclasses.field(default=None, metadata=_checked(_optional_count))
    periods: float = dataclasses.field(default=24, metadata=_checked(_five_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AtMaxCapacityAlarm:
    """Goes off when messages need more watchers than Scaling allows, on average of ``periods`` times five minutes."""

    periods: float = dataclasses.field(default=6, metadata=_checked(_five_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerErrorsAlarm:
    """Goes off when more than ``threshold`` jobs fail a minute, for ``periods`` minutes."""

    threshold: float = dataclasses.field(default=10, metadata=_checked(_count))
    periods: float = dataclasses.field(default=1, metadata=_checked(_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkerErrorRateAlarm:
    """Goes off when more than ``threshold`` percent of jobs fail, in each of ``periods`` times five minutes.

    Five minutes with less than ``minimum_jobs`` that succeeded or failed say nothing.
    """

    threshold: float = dataclasses.field(default=50, metadata=_checked(_percent))
    minimum_jobs: float = dataclasses.field(default=10, metadata=_checked(_jobs))
    periods: float = dataclasses.field(default=3, metadata=_checked(_five_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FailedWorkerPlacementAlarm:
    """Goes off when a watcher has more than ``threshold`` workers it cannot start, in each of ``periods`` minutes."""

    threshold: float = dataclasses.field(default=0, metadata=_checked(_count))
    periods: float = dataclasses.field(default=10, metadata=_checked(_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StalledAlarm:
    """Goes off when there are messages and no job has succeeded for this long.

    :param after: 10 minutes to 7 days; longer than the longest job. By default one hour, and ``job_timeout`` more
        where that is given, but no more than 7 days: CloudWatch looks back no further.
    """

    after: Duration | None = dataclasses.field(default=None, metadata=_checked(_silence, Duration))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DwellTimeAlarm:
    """Goes off when the slowest hundredth of messages takes longer, in each of ``periods`` times five minutes.

    :param threshold: from when a message was sent until it was settled. By default one hour, and ``job_timeout`` more
        where that is given.
    """

    threshold: Duration | None = dataclasses.field(default=None, metadata=_checked(_dwell, Duration))
    periods: float = dataclasses.field(default=3, metadata=_checked(_five_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CpuUtilizationAlarm:
    """Goes off when the service's tasks use more than ``threshold`` percent of CPU, for ``periods`` minutes."""

    threshold: float = dataclasses.field(default=90, metadata=_checked(_count))
    periods: float = dataclasses.field(default=10, metadata=_checked(_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUtilizationAlarm:
    """Goes off when the service's tasks use more than ``threshold`` percent of memory, for ``periods`` minutes."""

    threshold: float = dataclasses.field(default=90, metadata=_checked(_count))
    periods: float = dataclasses.field(default=10, metadata=_checked(_minutes))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """The alarms of a service: None switches one off.

    :param at_max_capacity: for services with Scaling.
    :param cpu_utilization: off by default; of the service's tasks, which with Isolation.TASK are the watchers alone.
    :param memory_utilization: as ``cpu_utilization``.
    :param ok_actions: tell the notification topic also when an alarm is over.
    :param runbook_base: where your people read what to do: the address of a page with a section for each alarm, which
        is added as ``#deadletter``. By default the name of Watchbot's own page, which is no link.
    """

    dead_letter: DeadLetterAlarm | None = DeadLetterAlarm()
    more_dead_letters: MoreDeadLettersAlarm | None = MoreDeadLettersAlarm()
    queue_size: QueueSizeAlarm | None = QueueSizeAlarm()
    at_max_capacity: AtMaxCapacityAlarm | None = AtMaxCapacityAlarm()
    worker_errors: WorkerErrorsAlarm | None = WorkerErrorsAlarm()
    worker_error_rate: WorkerErrorRateAlarm | None = WorkerErrorRateAlarm()
    failed_worker_placement: FailedWorkerPlacementAlarm | None = FailedWorkerPlacementAlarm()
    stalled: StalledAlarm | None = StalledAlarm()
    dwell_time: DwellTimeAlarm | None = DwellTimeAlarm()
    cpu_utilization: CpuUtilizationAlarm | None = None
    memory_utilization: MemoryUtilizationAlarm | None = None
    ok_actions: bool = False
    runbook_base: str = RUNBOOK

    @classmethod
    def off(cls) -> Alarms:
        """Give no alarm at all."""
        nothing: dict[str, Any] = dict.fromkeys(_KINDS)
        return cls(**nothing)

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The alarms that are on, by their names here."""
        alarms = {field: getattr(self, field) for field in _KINDS}
        return {field: alarm for field, alarm in alarms.items() if alarm is not None}

    def kinds(self) -> Iterable[str]:
        """Say what is of another kind."""
        for field, kind in _KINDS.items():
            alarm = getattr(self, field)
            yield from kind_problems(f"alarms {field}", alarm, kind, optional=True)
            if isinstance(alarm, kind):
                yield from _kinds_within(f"alarms {field}", alarm)
        yield from kind_problems("alarms ok_actions", self.ok_actions, bool)
        yield from kind_problems("alarms runbook_base", self.runbook_base, str)

    def problems(self) -> Iterable[str]:
        """Say what cannot be, of values of the right kinds."""
        for field, alarm in self.chosen.items():
            for one in dataclasses.fields(alarm):
                yield from one.metadata["problems"](f"alarms {field} {one.name}", getattr(alarm, one.name))
        if not 1 <= len(self.runbook_base) <= _LONGEST_RUNBOOK_BASE:
            yield (
                f"alarms runbook_base must have 1 to {_LONGEST_RUNBOOK_BASE} characters, "
                f"got {len(self.runbook_base)}: a description of an alarm holds 1,024"
            )
        if "#" in self.runbook_base:
            yield (
                "alarms runbook_base must be a page's address without a #, which is added with the section of each "
                f"alarm, got {self.runbook_base!r}"
            )


def _kinds_within(name: str, alarm: Any) -> Iterable[str]:
    for one in dataclasses.fields(alarm):
        if one.metadata["kind"] is not None:
            value = getattr(alarm, one.name)
            yield from kind_problems(f"{name} {one.name}", value, one.metadata["kind"], optional=True)


_KINDS: Mapping[str, type] = {
    "dead_letter": DeadLetterAlarm,
    "more_dead_letters": MoreDeadLettersAlarm,
    "queue_size": QueueSizeAlarm,
    "at_max_capacity": AtMaxCapacityAlarm,
    "worker_errors": WorkerErrorsAlarm,
    "worker_error_rate": WorkerErrorRateAlarm,
    "failed_worker_placement": FailedWorkerPlacementAlarm,
    "stalled": StalledAlarm,
    "dwell_time": DwellTimeAlarm,
    "cpu_utilization": CpuUtilizationAlarm,
    "memory_utilization": MemoryUtilizationAlarm,
}
