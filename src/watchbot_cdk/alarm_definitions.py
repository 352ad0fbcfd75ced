"""What each alarm watches, and what it says to whom it wakes: values only, no construct."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Tokenization

from watchbot.contract import Metric
from watchbot_cdk.alarms import (
    Alarms,
    AtMaxCapacityAlarm,
    CpuUtilizationAlarm,
    DeadLetterAlarm,
    DwellTimeAlarm,
    FailedWorkerPlacementAlarm,
    MemoryUtilizationAlarm,
    MoreDeadLettersAlarm,
    QueueSizeAlarm,
    StalledAlarm,
    WorkerErrorRateAlarm,
    WorkerErrorsAlarm,
)
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.ladder import Backlog
from watchbot_cdk.metric_source import NOT_VISIBLE, OUTSTANDING, VISIBLE, MetricSource, Series
from watchbot_cdk.problems import in_seconds, is_token

_HOUR = 3600
_DAY = 24 * _HOUR
_QUEUE_SIZE = 40


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AlarmDefinition:
    """An alarm in CloudWatch's terms: it goes off when all of so many periods are beyond the threshold.

    ``expression`` is in metric math over ``series``, by their names; without one there is a single series.

    Missing data never sets off an alarm of ours: SQS writes nothing of a queue at rest, and watchers write a count only
    when there is something to count. Where nothing written would be bad news, the expression fills it in. So alarms
    end by themselves too, and none hangs in INSUFFICIENT_DATA.
    """

    name: str
    why: str
    what_to_do: str
    series: Mapping[str, Series]
    expression: str | None = None
    period_seconds: int
    periods: float
    threshold: float
    at_least: bool = False

    def description(self, runbook_base: str) -> str:
        """Say why and what to do, and where that is told at length."""
        return f"Why: {self.why}. What to do: {self.what_to_do}. {runbook_base}#{self.name.lower()}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WatchedService:
    """What alarms have to know of the service: its metrics, how long a job may last, and the most it scales to."""

    source: MetricSource
    job_timeout: Duration | None
    backlog: Backlog | None

    @property
    def patience_seconds(self) -> float:
        """An hour, and as long as a job may last where that is known."""
        limit = self.job_timeout
        return _HOUR if limit is None or is_token(limit) else _HOUR + in_seconds(limit)


def alarm_definitions(alarms: Alarms, service: WatchedService) -> Sequence[AlarmDefinition]:
    """Define the alarms that are on for a service."""
    return [_definition(alarm, service) for alarm in alarms.chosen.values() if _is_for(alarm, service)]


def _is_for(alarm: object, service: WatchedService) -> bool:
    match alarm:
        case AtMaxCapacityAlarm():
            return service.backlog is not None
        case QueueSizeAlarm(threshold=None):
            return service.backlog is None
    return True


@functools.singledispatch
def _definition(alarm: object, service: WatchedService) -> AlarmDefinition:
    raise NotImplementedError(f"{alarm!r} of {service.source.service} is no alarm")


@_definition.register
def _(alarm: DeadLetterAlarm, service: WatchedService) -> AlarmDefinition:
    return AlarmDefinition(
        name="DeadLetter",
        why="messages are in the dead-letter queue; nobody works on them any more",
        what_to_do="read why, in their attribute watchbot.Reason and the log; repair; send them back to the queue",
        series={"letters": service.source.of_dead_letters(VISIBLE, "Maximum")},
        period_seconds=60,
        periods=1,
        threshold=alarm.threshold,
        at_least=True,
    )


@_definition.register
def _(alarm: MoreDeadLettersAlarm, service: WatchedService) -> AlarmDefinition:
    # The alarm above tells of the first letter alone and then stays; this one tells of those that come later. Letters
    # that someone looks at are hidden for a while: only the sum of both grows when there are more.
    grown = f"DIFF({OUTSTANDING})"
    return AlarmDefinition(
        name="MoreDeadLetters",
        why="more messages have come to those in the dead-letter queue",
        what_to_do="see whether they have the same cause as the others, and whether it goes on",
        series={
            "visible": service.source.of_dead_letters(VISIBLE, "Maximum"),
            "hidden": service.source.of_dead_letters(NOT_VISIBLE, "Maximum"),
        },
        expression=f"IF({OUTSTANDING} > {grown}, {grown}, 0)",
        period_seconds=60,
        periods=1,
        threshold=alarm.threshold,
        at_least=True,
    )


@_definition.register
def _(alarm: QueueSizeAlarm, service: WatchedService) -> AlarmDefinition:
    return AlarmDefinition(
        name="QueueSize",
        why="messages have waited in numbers for long; more come than are worked on",
        what_to_do="see whether jobs fail or are slow; else raise watchers or workers",
        series={"visible": service.source.of_queue(VISIBLE, "Average")},
        period_seconds=300,
        periods=alarm.periods,
        threshold=_QUEUE_SIZE if alarm.threshold is None else alarm.threshold,
    )


@_definition.register
def _(alarm: AtMaxCapacityAlarm, service: WatchedService) -> AlarmDefinition:
    # Of the queue alone, which costs nothing: how many watchers ECS runs is a metric of Container Insights.
    backlog = service.backlog
    assert backlog is not None  # noqa: S101 - the alarm is for services with Scaling
    return AlarmDefinition(
        name="AtMaxCapacity",
        why="messages need more watchers than there may be, and have for long",
        what_to_do="see whether jobs fail or are slow, and whether all watchers run; else raise max or workers",
        series={
            "visible": service.source.of_queue(VISIBLE, "Average"),
            "hidden": service.source.of_queue(NOT_VISIBLE, "Average"),
        },
        expression=f"{backlog.expression} / {backlog.each}",
        period_seconds=300,
        periods=alarm.periods,
        threshold=backlog.most_watchers,
    )


@_definition.register
def _(alarm: WorkerErrorsAlarm, service: WatchedService) -> AlarmDefinition:
    return AlarmDefinition(
        name="WorkerErrors",
        why="many jobs fail, are rejected, dead-lettered or timed out within a minute",
        what_to_do="look for the reason in job.finished lines of the log and in the lines of their workers",
        series={"errors": service.source.of_watchers(Metric.WORKER_ERRORS, "Sum")},
        period_seconds=60,
        periods=alarm.periods,
        threshold=alarm.threshold,
    )


@_definition.register
def _(alarm: WorkerErrorRateAlarm, service: WatchedService) -> AlarmDefinition:
    # Each count is written only when there is one, and both come in the same line of the log: filled, not missing.
    done = "(FILL(errors, 0) + FILL(successes, 0))"
    return AlarmDefinition(
        name="WorkerErrorRate",
        why="a large share of jobs fails",
        what_to_do="look for the reason in job.finished lines of the log; a release or a change of data may be it",
        series={
            "errors": service.source.of_watchers(Metric.WORKER_ERRORS, "Sum"),
            "successes": service.source.of_watchers(Metric.WORKER_SUCCESSES, "Sum"),
        },
        expression=f"IF({done} >= {_text(alarm.minimum_jobs)}, 100 * FILL(errors, 0) / {done}, 0)",
        period_seconds=300,
        periods=alarm.periods,
        threshold=alarm.threshold,
    )


@_definition.register
def _(alarm: FailedWorkerPlacementAlarm, service: WatchedService) -> AlarmDefinition:
    # Not the metric FailedWorkerPlacement: it counts a reason once, however long it lasts, and a watcher that has
    # paused tries again only every five minutes. How many workers wait to be started is written each minute.
    return AlarmDefinition(
        name="FailedWorkerPlacement",
        why="workers do not start: the cluster is full, or image, role or network are wrong",
        what_to_do="read the reason in job.start_failed lines of the log; make room or repair; no message is lost",
        series={"unplaced": service.source.of_watchers(Metric.UNPLACED_WORKERS, "Maximum")},
        period_seconds=60,
        periods=alarm.periods,
        threshold=alarm.threshold,
    )


@_definition.register
def _(alarm: StalledAlarm, service: WatchedService) -> AlarmDefinition:
    # Successes are filled in: a watcher that is dead writes none, and that is the news. The newest period may lack
    # successes that have not arrived yet; it alone sets nothing off. A queue of which SQS writes nothing is at rest.
    seconds = _seconds(alarm.after, service.patience_seconds)
    period_seconds = 300 if seconds <= _DAY else _HOUR
    return AlarmDefinition(
        name="Stalled",
        why="there are messages, and for long no job has succeeded",
        what_to_do="see whether the service's tasks run and what they log, and whether a worker hangs",
        series={
            "visible": service.source.of_queue(VISIBLE, "Maximum"),
            "hidden": service.source.of_queue(NOT_VISIBLE, "Maximum"),
            "successes": service.source.of_watchers(Metric.WORKER_SUCCESSES, "Sum"),
        },
        expression=f"IF({OUTSTANDING} > 0 AND FILL(successes, 0) == 0, 1, 0)",
        period_seconds=period_seconds,
        periods=math.ceil(min(seconds, 7 * _DAY) / period_seconds),
        threshold=0,
    )


@_definition.register
def _(alarm: DwellTimeAlarm, service: WatchedService) -> AlarmDefinition:
    return AlarmDefinition(
        name="DwellTime",
        why="the slowest hundredth of messages takes too long from being sent to being settled",
        what_to_do="see whether they wait (QueueSize), fail again and again, or their jobs are slow",
        series={"dwell": service.source.of_watchers(Metric.RESPONSE_DURATION, "p99")},
        period_seconds=300,
        periods=alarm.periods,
        threshold=1000 * _seconds(alarm.threshold, service.patience_seconds),
    )


@_definition.register
def _(alarm: CpuUtilizationAlarm, service: WatchedService) -> AlarmDefinition:
    return AlarmDefinition(
        name="CpuUtilization",
        why="the service's tasks have used nearly all of their CPU for long",
        what_to_do="raise cpu, or run fewer workers in a task",
        series={"cpu": service.source.of_tasks("CPUUtilization", "Average")},
        period_seconds=60,
        periods=alarm.periods,
        threshold=alarm.threshold,
    )


@_definition.register
def _(alarm: MemoryUtilizationAlarm, service: WatchedService) -> AlarmDefinition:
    return AlarmDefinition(
        name="MemoryUtilization",
        why="the service's tasks have used nearly all of their memory for long; at the limit workers are killed",
        what_to_do="raise memory_limit_mib, or run fewer workers in a task",
        series={"memory": service.source.of_tasks("MemoryUtilization", "Average")},
        period_seconds=60,
        periods=alarm.periods,
        threshold=alarm.threshold,
    )


def _seconds(duration: Duration | None, default: float) -> float:
    return default if duration is None else in_seconds(duration)


def _text(number: float) -> str:
    return Tokenization.stringify_number(number) if is_deploy_time(number) else f"{number}"
