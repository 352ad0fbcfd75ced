"""What changes the number of watchers: Application Auto Scaling, by two alarms on the queue. No Lambda function."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_ecs as ecs

from watchbot_cdk.included import Resource
from watchbot_cdk.ladder import Backlog, steps
from watchbot_cdk.metric_source import NOT_VISIBLE, VISIBLE, MetricSource
from watchbot_cdk.scaling import Scaling
from watchbot_cdk.service_alarms import metric_queries

_COOLDOWN_SECONDS = 300
_PERIOD_SECONDS = 60
_TARGET = "ScalableTarget"


@dataclasses.dataclass(frozen=True, slots=True)
class _Condition:
    """Of so many minutes each has to be beyond the threshold for the policy to be run."""

    alarm: str
    policy: str
    minutes: int
    comparison: str
    threshold: int
    missing: str


_MESSAGES = _Condition("ScaleOutAlarm", "ScaleOutPolicy", 1, "GreaterThanOrEqualToThreshold", 1, "notBreaching")
# Three minutes, because SQS's counts are approximate: a message may be in neither for a moment.
_EMPTY = _Condition("ScaleInAlarm", "ScaleInPolicy", 3, "LessThanOrEqualToThreshold", 0, "ignore")


def scaling_resources(
    scaling: Scaling, backlog: Backlog, service: ecs.BaseService, source: MetricSource
) -> Mapping[str, Resource]:
    """Write what scales the service: a target, a policy and an alarm for each direction.

    While a message is there the first alarm is on, and CloudWatch has its policy run every minute: it sets the number
    of watchers to what the backlog takes. A larger number counts at once, a smaller one after the cooldown; watchers
    with jobs are protected, so that a smaller number ends idle ones.
    https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html

    Missing data starts nothing and ends nothing: SQS writes nothing of a queue that was idle for six hours, and values
    arrive late. Only the messages in flight are filled in, of which it may write nothing while there are none; filled
    in, the newest minute of those that wait would always be an empty queue.
    """
    queries = _queries(source, backlog)
    return {
        _TARGET: _target(scaling, service),
        _MESSAGES.policy: _policy(_MESSAGES, _out(scaling, backlog)),
        _EMPTY.policy: _policy(_EMPTY, _into(scaling)),
        **{when.alarm: _alarm(when, queries) for when in (_MESSAGES, _EMPTY)},
    }


def _target(scaling: Scaling, service: ecs.BaseService) -> Resource:
    """Name the service; its role is the one that Application Auto Scaling makes for ECS in the account."""
    properties = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": f"service/{service.cluster.cluster_name}/{service.service_name}",
        "MinCapacity": scaling.min,
        "MaxCapacity": scaling.max,
        **({"ScheduledActions": _scheduled(scaling)} if scaling.scheduled else {}),
    }
    return {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": properties}


def _scheduled(scaling: Scaling) -> list[Any]:
    """Write the scheduled minima as actions of the target.

    https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
    """
    return [
        {
            "ScheduledActionName": f"ScheduledMinimum{number}",
            "Schedule": one.schedule.expression_string,
            **({} if one.schedule.time_zone is None else {"Timezone": one.schedule.time_zone.timezone_name}),
            "ScalableTargetAction": {"MinCapacity": one.min},
        }
        for number, one in enumerate(scaling.scheduled, 1)
    ]


def _out(scaling: Scaling, backlog: Backlog) -> list[Any]:
    # Bounds count from the threshold of the alarm, which is the first message.
    return [
        {
            "MetricIntervalLowerBound": step.lower - 1,
            **({} if step.upper is None else {"MetricIntervalUpperBound": step.upper - 1}),
            "ScalingAdjustment": step.watchers,
        }
        for step in steps(scaling, backlog.each)
    ]


def _into(scaling: Scaling) -> list[Any]:
    return [{"MetricIntervalUpperBound": 0, "ScalingAdjustment": scaling.lowest}]


def _policy(when: _Condition, adjustments: list[Any]) -> Resource:
    properties = {
        "PolicyName": when.policy,
        "PolicyType": "StepScaling",
        "ScalingTargetId": {"Ref": _TARGET},
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ExactCapacity",
            "Cooldown": _COOLDOWN_SECONDS,
            "MetricAggregationType": "Maximum",
            "StepAdjustments": adjustments,
        },
    }
    return {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": properties}


def _queries(source: MetricSource, backlog: Backlog) -> list[Any]:
    series = {"visible": source.of_queue(VISIBLE, "Maximum"), "hidden": source.of_queue(NOT_VISIBLE, "Maximum")}
    return metric_queries("backlog", backlog.expression, series, _PERIOD_SECONDS)


def _alarm(when: _Condition, queries: list[Any]) -> Resource:
    properties = {
        "AlarmDescription": "Scales the service; tells nobody, and nothing is wrong while it is on.",
        "Metrics": queries,
        "EvaluationPeriods": when.minutes,
        "DatapointsToAlarm": when.minutes,
        "Threshold": when.threshold,
        "ComparisonOperator": when.comparison,
        "TreatMissingData": when.missing,
        "AlarmActions": [{"Ref": when.policy}],
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}
