"""What changes the number of watchers: Application Auto Scaling, by two alarms on the queue. No Lambda function."""

from __future__ import annotations

import dataclasses
from typing import Any

from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from watchbot_cdk.ladder import Backlog, steps
from watchbot_cdk.metric_source import NOT_VISIBLE, VISIBLE, MetricSource
from watchbot_cdk.scaling import Scaling
from watchbot_cdk.service_alarms import metric_queries

_COOLDOWN_SECONDS = 300
_PERIOD_SECONDS = 60


@dataclasses.dataclass(frozen=True, slots=True)
class _Condition:
    """Of so many minutes each has to be beyond the threshold."""

    alarm: str
    minutes: int
    comparison: str
    threshold: int
    missing: str


_MESSAGES = _Condition("ScaleOutAlarm", 1, "GreaterThanOrEqualToThreshold", 1, "notBreaching")
# Three minutes, because SQS's counts are approximate: a message may be in neither for a moment.
_EMPTY = _Condition("ScaleInAlarm", 3, "LessThanOrEqualToThreshold", 0, "ignore")


def add_scaling(
    scope: Construct, scaling: Scaling, backlog: Backlog, service: ecs.BaseService, source: MetricSource
) -> None:
    """Create what scales the service: a target, a policy and an alarm for each direction.

    While a message is there the first alarm is on, and CloudWatch has its policy run every minute: it sets the number
    of watchers to what the backlog takes. A larger number counts at once, a smaller one after the cooldown; watchers
    with jobs are protected, so that a smaller number ends idle ones.
    https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html

    Missing data starts nothing and ends nothing: SQS writes nothing of a queue that was idle for six hours, and values
    arrive late. Only the messages in flight are filled in, of which it may write nothing while there are none; filled
    in, the newest minute of those that wait would always be an empty queue.
    """
    target = _add_target(scope, scaling, service)
    out = _add_policy(scope, "ScaleOutPolicy", target, _out(scaling, backlog))
    into = _add_policy(scope, "ScaleInPolicy", target, _into(scaling))
    for when, policy in ((_MESSAGES, out), (_EMPTY, into)):
        _add_alarm(scope, when, _queries(source, backlog), policy)


def _add_target(scope: Construct, scaling: Scaling, service: ecs.BaseService) -> autoscaling.CfnScalableTarget:
    """Name the service; its role is the one that Application Auto Scaling makes for ECS in the account."""
    return autoscaling.CfnScalableTarget(
        scope,
        "ScalableTarget",
        service_namespace="ecs",
        scalable_dimension="ecs:service:DesiredCount",
        resource_id=f"service/{service.cluster.cluster_name}/{service.service_name}",
        min_capacity=scaling.min,
        max_capacity=scaling.max,
        scheduled_actions=_scheduled(scaling) or None,
    )


def _scheduled(scaling: Scaling) -> list[Any]:
    """Write the scheduled minima as actions of the target.

    https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    """
    return [
        {
            "scheduledActionName": f"ScheduledMinimum{number}",
            "schedule": one.schedule.expression_string,
            "timezone": None if one.schedule.time_zone is None else one.schedule.time_zone.timezone_name,
            "scalableTargetAction": {"minCapacity": one.min},
        }
        for number, one in enumerate(scaling.scheduled, 1)
    ]


def _out(scaling: Scaling, backlog: Backlog) -> list[Any]:
    # Bounds count from the threshold of the alarm, which is the first message.
    return [
        {
            "metricIntervalLowerBound": step.lower - 1,
            "metricIntervalUpperBound": None if step.upper is None else step.upper - 1,
            "scalingAdjustment": step.watchers,
        }
        for step in steps(scaling, backlog.each)
    ]


def _into(scaling: Scaling) -> list[Any]:
    return [{"metricIntervalUpperBound": 0, "scalingAdjustment": scaling.lowest}]


def _add_policy(
    scope: Construct, name: str, target: autoscaling.CfnScalableTarget, adjustments: list[Any]
) -> autoscaling.CfnScalingPolicy:
    return autoscaling.CfnScalingPolicy(
        scope,
        name,
        policy_name=name,
        policy_type="StepScaling",
        scaling_target_id=target.ref,
        step_scaling_policy_configuration={
            "adjustmentType": "ExactCapacity",
            "cooldown": _COOLDOWN_SECONDS,
            "metricAggregationType": "Maximum",
            "stepAdjustments": adjustments,
        },
    )


def _queries(source: MetricSource, backlog: Backlog) -> list[Any]:
    series = {"visible": source.of_queue(VISIBLE, "Maximum"), "hidden": source.of_queue(NOT_VISIBLE, "Maximum")}
    return metric_queries("backlog", backlog.expression, series, _PERIOD_SECONDS)


def _add_alarm(
    scope: Construct, when: _Condition, queries: list[Any], policy: autoscaling.CfnScalingPolicy
) -> cloudwatch.CfnAlarm:
    return cloudwatch.CfnAlarm(
        scope,
        when.alarm,
        alarm_description="Scales the service; tells nobody, and nothing is wrong while it is on.",
        metrics=queries,
        evaluation_periods=when.minutes,
        datapoints_to_alarm=when.minutes,
        threshold=when.threshold,
        comparison_operator=when.comparison,
        treat_missing_data=when.missing,
        alarm_actions=[policy.ref],
    )
