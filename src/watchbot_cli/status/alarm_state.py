"""The alarms that watch a service: those of its stack that look at its metrics or its queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchbot.contract import METRIC_SERVICE, Description
from watchbot_cli.status.metric_data import queue_name
from watchbot_cli.status.snapshot import Alarm, Alarms

_NAMES = 100
"""What one call takes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html"""


def alarm_names(cloudformation: Any, stack: str) -> list[str]:
    """List the alarms of a stack and of those nested in it.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html
    """
    names, stacks = [], [stack]
    while stacks:
        for resource in _resources(cloudformation, stacks.pop()):
            match resource:
                case {"ResourceType": "AWS::CloudWatch::Alarm", "PhysicalResourceId": str(name)}:
                    names.append(name)
                case {"ResourceType": "AWS::CloudFormation::Stack", "PhysicalResourceId": str(arn)}:
                    stacks.append(arn)
    return names


def read_alarms(cloudwatch: Any, names: Sequence[str], service: Description) -> Alarms:
    """Describe those of the alarms that watch the service; the ones that scale it are no news."""
    watching = [one for one in _described(cloudwatch, names) if _watches(one, service) and not _scales(one)]
    in_alarm = [_alarm(one) for one in watching if one["StateValue"] == "ALARM"]
    return Alarms(len(watching), tuple(sorted(in_alarm, key=lambda one: one.since, reverse=True)))


def _resources(cloudformation: Any, stack: str) -> Iterator[Mapping[str, Any]]:
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            # A resource that was never made, or is no more, has kept the name.
            if not resource["ResourceStatus"].startswith(("CREATE_FAILED", "DELETE_COMPLETE")):
                yield resource


def _described(cloudwatch: Any, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(names), _NAMES):
        some = list(names[start : start + _NAMES])
        yield from cloudwatch.describe_alarms(AlarmNames=some, MaxRecords=_NAMES)["MetricAlarms"]


def _watches(alarm: Mapping[str, Any], service: Description) -> bool:
    metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
    seen = {(one["Name"], one["Value"]) for metric in (alarm, *metrics) for one in metric.get("Dimensions", [])}
    return any(own <= seen for own in _own_dimensions(service))


def _own_dimensions(service: Description) -> list[set[tuple[str, str]]]:
    cluster, ecs_service = (arn.rpartition("/")[2] for arn in (service.cluster, service.ecs_service))
    return [
        {(METRIC_SERVICE, service.service)},
        {("QueueName", queue_name(service.queue_url))},
        {("QueueName", queue_name(service.dead_letter_queue_url))},
        {("ClusterName", cluster), ("ServiceName", ecs_service)},
    ]


def _scales(alarm: Mapping[str, Any]) -> bool:
    actions = alarm.get("AlarmActions", [])
    return bool(actions) and all(":autoscaling:" in action for action in actions)


def _alarm(alarm: Mapping[str, Any]) -> Alarm:
    since = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return Alarm(alarm["AlarmName"], since, alarm.get("AlarmDescription", ""))
