"""How many watchers there are, where the backlog decides."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from aws_cdk import Duration
from aws_cdk import aws_scheduler as scheduler

from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.problems import in_seconds, is_list_of, is_token, kind_problems, whole_problems

MOST_WATCHERS = 5000
"""Tasks of one ECS service: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"""

_SHORTEST_TARGET_SECONDS = 1.0
_SHORTEST_JOB_SECONDS = 0.001
_LONGEST_SECONDS = 14 * 24 * 3600


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledMinimum:
    """From these times on there are at least ``min`` watchers, until another scheduled minimum says otherwise.

    :param schedule: ``cron`` or ``at`` of ``aws_scheduler.ScheduleExpression``, with its time zone.
    :param min: 0 or more, at most the ``max`` of the Scaling.
    """

    schedule: scheduler.ScheduleExpression
    min: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """As many watchers as the messages that wait or are worked on need, looked at every minute.

    The template has no DesiredCount, so that a deployment leaves their number as it is. CloudFormation starts a new
    service with one watcher, also with a ``min`` of 0, and waits for it: an image that cannot run fails the stack. With
    nothing to do that watcher ends once SQS has reported an empty queue for three minutes.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ecs-service.html

    :param min: watchers that are always there; 0 or more.
    :param max: watchers that there are at most, 1 to 5,000.
    :param latency_target: how long a message should take at most from being sent until its job has ended, once the
        watchers run; by default every message gets a worker at once. Longer than ``job_duration``: fewer watchers, each
        with a backlog.
    :param job_duration: how long a job takes on average; goes with ``latency_target``.
    :param scheduled: other minima at certain times; none by default.
    """

    min: float = 0
    max: float
    latency_target: Duration | None = None
    job_duration: Duration | None = None
    scheduled: Sequence[ScheduledMinimum] = ()

    @property
    def lowest(self) -> float:
        """The fewest watchers that there are at any time, 0 where that is known only at deployment.

        What is below the minimum in force is raised to it:
        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        minima = [self.min, *(one.min for one in self.scheduled)]
        if len(minima) == 1:
            return self.min
        return 0 if any(map(is_deploy_time, minima)) else min(minima)

    @property
    def jobs_in_turn(self) -> Fraction:
        """How many jobs a worker may do one after the other within the latency target."""
        if self.latency_target is None or self.job_duration is None:
            return Fraction(1)
        return Fraction(round(in_seconds(self.latency_target) * 1000), round(in_seconds(self.job_duration) * 1000))

    def kinds(self) -> Iterable[str]:
        """Say what is of another kind."""
        yield from kind_problems("watchers latency_target", self.latency_target, Duration, optional=True)
        yield from kind_problems("watchers job_duration", self.job_duration, Duration, optional=True)
        if not is_list_of(ScheduledMinimum, self.scheduled):
            yield f"watchers scheduled must be a list of ScheduledMinimum, got {self.scheduled!r}"
            return
        for one in self.scheduled:
            yield from kind_problems("watchers scheduled schedule", one.schedule, scheduler.ScheduleExpression)

    def problems(self) -> Iterable[str]:
        """Say what cannot be, of values of the right kinds."""
        found = [
            *whole_problems("watchers max", self.max, 1, MOST_WATCHERS),
            *whole_problems("watchers min", self.min, 0, MOST_WATCHERS),
            *self._scheduled(),
        ]
        yield from found or self._order()
        yield from self._latency()

    def _scheduled(self) -> Iterable[str]:
        for one in self.scheduled:
            yield from whole_problems("watchers scheduled min", one.min, 0, MOST_WATCHERS)
            yield from _schedule_problems(one.schedule.expression_string)

    def _order(self) -> Iterable[str]:
        minima = [("watchers min", self.min), *(("watchers scheduled min", one.min) for one in self.scheduled)]
        for name, value in minima:
            if not is_deploy_time(value) and not is_deploy_time(self.max) and value > self.max:
                yield f"{name} must be at most max, which is {self.max}, got {value}"

    def _latency(self) -> Iterable[str]:
        latency, job = self.latency_target, self.job_duration
        if latency is None and job is None:
            return
        if latency is None or job is None:
            yield "watchers latency_target and job_duration go together, got one of them"
            return
        found = [
            *_time_problems("watchers latency_target", latency, _SHORTEST_TARGET_SECONDS),
            *_time_problems("watchers job_duration", job, _SHORTEST_JOB_SECONDS),
        ]
        yield from found
        if not found and in_seconds(latency) < in_seconds(job):
            yield (
                f"watchers latency_target ({in_seconds(latency):.12g} s) must be at least job_duration "
                f"({in_seconds(job):.12g} s): no job ends sooner, however many watchers there are"
            )


def most_watchers(watchers: float | Scaling) -> float:
    """Count the watchers that there may be at once."""
    return watchers.max if isinstance(watchers, Scaling) else watchers


def _schedule_problems(expression: str) -> Iterable[str]:
    """Say what Application Auto Scaling would refuse at deployment; rate is refused because it has no use here.

    https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    """
    if is_deploy_time(expression) or re.fullmatch(r"cron\(\S+( \S+){5}\)|at\([^ ()]+\)", expression):
        return
    is_rate = expression.startswith("rate(")
    why = ", which sets the same minimum again and again" if is_rate else ""
    yield f"watchers scheduled schedule must be cron with six fields, or at, got {expression}{why}"


def _time_problems(name: str, value: Duration, shortest: float) -> Iterable[str]:
    if is_token(value):
        yield f"{name} must be known at synthesis, got a value known only at deployment"
    elif not shortest <= in_seconds(value) <= _LONGEST_SECONDS:
        yield f"{name} must be {shortest:g} to {_LONGEST_SECONDS} seconds, got {in_seconds(value):.12g}"
