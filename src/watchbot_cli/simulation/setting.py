"""What is simulated: a service's size and its policies, and the conditions it runs under."""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Sequence

from watchbot.backoff import Backoff
from watchbot.contract import Isolation
from watchbot_cli.simulation.alarm import AlarmRule
from watchbot_cli.simulation.schedule import Schedule
from watchbot_cli.simulation.step_scaling import StepPolicy
from watchbot_cli.simulation.target_tracking import TrackingPolicy

MONDAY = datetime.datetime(2026, 1, 5)  # noqa: DTZ001 - in the time zone of whatever schedule looks at it
"""When a simulation starts unless told otherwise: a Monday, at midnight."""

SQS_WALL_SECONDS = 12 * 3600.0
"""A message can be in flight for so long after a receive, and no longer: where jobs run beside whoever received it
none can take longer.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html"""

PROCESS_WALL_SECONDS = 11 * 3600.0 + 55 * 60
"""A watcher of Isolation.PROCESS stops a job then, while it can still return the message."""


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """What a task is billed for: vCPU, memory, processor, and whether it has a public IPv4 address."""

    vcpu: float = 0.25
    memory_gib: float = 0.5
    arm: bool = False
    public_ip: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class AlarmedPolicy:
    """A step policy and the alarm that calls it."""

    alarm: AlarmRule
    policy: StepPolicy


@dataclasses.dataclass(frozen=True, slots=True)
class ScheduledLimits:
    """A scheduled action: from when it is due on, these are the limits; None leaves one as it is."""

    schedule: Schedule
    minimum: int | None
    maximum: int | None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A service and how it scales.

    ``workers`` are the slots of a task. ``protected`` tasks are not stopped while jobs run in them; with
    Isolation.TASK jobs have tasks of their own (``worker_size``), which outlive their watcher. Jobs that take longer
    than ``job_timeout_seconds`` time out, and their messages return after the back-off; what has been received
    ``max_receives`` times is given up, unless that is None. ``spot_share`` is
    that of the tasks in which jobs run. ``alarm_metrics`` are all metrics that the template's alarms watch, and
    ``metric_lambda`` tells of a function that publishes a metric each minute: both only cost. Scaling in or out can be
    suspended. ``least_healthy`` and ``most_running`` are shares of the number desired, for deployments.
    """

    name: str
    minimum: int
    maximum: int
    workers: int = 1
    isolation: Isolation = Isolation.PROCESS
    steps: Sequence[AlarmedPolicy] = ()
    tracking: Sequence[TrackingPolicy] = ()
    protected: bool = True
    visibility_seconds: float = 180.0
    max_receives: int | None = 10
    job_timeout_seconds: float = math.inf
    backoff: Backoff = dataclasses.field(default_factory=Backoff)
    size: Size = Size()
    worker_size: Size = Size()
    spot_share: float = 0.0
    fifo: bool = False
    alarm_metrics: int = 0
    custom_metrics: int = 0
    metric_lambda: bool = False
    scheduled: Sequence[ScheduledLimits] = ()
    scales_out: bool = True
    scales_in: bool = True
    least_healthy: float = 1.0
    most_running: float = 2.0
    notes: tuple[str, ...] = ()

    @property
    def longest_job_seconds(self) -> float:
        """How long a job may take: where jobs run beside whoever received their message no longer than that is held."""
        return min(self.job_timeout_seconds, math.inf if self.isolation is Isolation.TASK else SQS_WALL_SECONDS)

    @property
    def lowest(self) -> int:
        """The fewest tasks that there are at any time."""
        scheduled = (one.minimum for one in self.scheduled)
        return min([self.minimum, *(one for one in scheduled if one is not None)])

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum:
            raise ValueError(f"min must be from 0 to max ({self.maximum}), got {self.minimum}")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What AWS does of itself; everything random is drawn from ``seed``.

    ``start`` is the first metric's time, in the time zone of the schedules.
    """

    seed: int = 1
    start: datetime.datetime = MONDAY
    task_start_seconds: float = 45.0
    metric_delay_seconds: float = 60.0
    idle_before_seconds: float = 0.0
    deploy_at_seconds: tuple[float, ...] = ()
    spot_interruptions_per_hour: float = 0.0
