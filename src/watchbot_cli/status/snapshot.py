"""How a service does at one moment, as far as it could be read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchbot.contract import Isolation
from watchbot_cli.stack_state import StackState


@dataclasses.dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of what could not be read: why, in a sentence."""

    unreadable: str


@dataclasses.dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue holds."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def outstanding(self) -> int:
        """Those that wait or are worked on."""
        return self.visible + self.in_flight


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Between how many watchers a service scales, and whether all of that is suspended."""

    min: int
    max: int
    suspended: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """The ECS service; ``limits`` is None without scaling, ``deployment`` without one that is under way or failed.

    ``paused`` is how many watchers a paused service goes back to, and None when it is not paused.
    """

    running: int
    pending: int
    desired: int
    limits: Limits | Unreadable | None
    paused: int | None
    deployment: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class WorkerTasks:
    """Tasks of workers that run or are being started; maybe more than these with ``at_least``."""

    running: int
    at_least: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Rate:
    """How many a minute."""

    last_5_minutes: float
    last_hour: float


@dataclasses.dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds, of the last hour; None when there were none."""

    p50: float | None
    p90: float | None
    p99: float | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What CloudWatch holds, which is a minute or two old.

    Ages are in seconds. ``workers`` and ``waiting_to_start`` are those of all watchers in a minute. None is what nobody
    wrote. ``failed`` is every job that failed, was rejected, dead-lettered or timed out.
    """

    oldest_seconds: float | None
    oldest_dead_letter_seconds: float | None
    workers: int | None
    waiting_to_start: int | None
    per_minute: Mapping[str, Rate]
    job_seconds: Percentiles
    sent_to_settled_seconds: Percentiles


@dataclasses.dataclass(frozen=True, slots=True)
class Alarm:
    """One that is in ALARM."""

    name: str
    since: datetime
    description: str


@dataclasses.dataclass(frozen=True, slots=True)
class Alarms:
    """How many alarms watch the service, and those of them in ALARM, the newest first."""

    count: int
    in_alarm: tuple[Alarm, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A service at ``read_at``; ``worker_tasks`` is None where workers are processes.

    ``progress_table`` is the ARN of the table of its jobs of many parts, if it has one. ``stack`` is what
    CloudFormation does with its stack.
    """

    service: str
    isolation: Isolation
    region: str
    read_at: datetime
    queue: Depth | Unreadable
    dead_letters: Depth | Unreadable
    watchers: Watchers | Unreadable
    worker_tasks: WorkerTasks | Unreadable | None
    metrics: Metrics | Unreadable
    alarms: Alarms | Unreadable
    progress_table: str | None = None
    stack: StackState | None = None

    @property
    def parts(self) -> Mapping[str, Any]:
        """What is read, each for itself."""
        parts = {name: getattr(self, name) for name in PARTS}
        return {name: part for name, part in parts.items() if part is not None}

    @property
    def unreadable(self) -> Mapping[str, Unreadable]:
        """The parts that could not be read."""
        return {name: part for name, part in self.parts.items() if isinstance(part, Unreadable)}

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; times in ISO 8601."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain


PARTS = ("queue", "dead_letters", "watchers", "worker_tasks", "metrics", "alarms")


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat(timespec="seconds")
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case tuple() | list():
            return [_plain(one) for one in value]
        case _:
            return value
