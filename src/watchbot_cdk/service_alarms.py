"""The alarms of a service as CloudFormation has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_sns as sns

from watchbot_cdk.alarm_definitions import AlarmDefinition, WatchedService, alarm_definitions
from watchbot_cdk.alarms import Alarms
from watchbot_cdk.included import Resource
from watchbot_cdk.metric_source import Series
from watchbot_cdk.notifications import arn_of


def alarm_resources(alarms: Alarms, service: WatchedService, topic: sns.ITopic) -> Mapping[str, Resource]:
    """Write the alarms that are on, by name; each tells the topic."""
    chosen = alarm_definitions(alarms, service)
    actions = [arn_of(topic)] if chosen else []
    return {one.name: _alarm(one, alarms, actions) for one in chosen}


def _alarm(definition: AlarmDefinition, alarms: Alarms, actions: list[str]) -> Resource:
    properties = {
        "AlarmDescription": definition.description(alarms.runbook_base),
        **_watched(definition),
        "EvaluationPeriods": definition.periods,
        "DatapointsToAlarm": definition.periods,
        "Threshold": definition.threshold,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold" if definition.at_least else "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": actions,
        **({"OKActions": actions} if alarms.ok_actions else {}),
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _watched(definition: AlarmDefinition) -> Mapping[str, Any]:
    if definition.expression is not None:
        queries = metric_queries(definition.name, definition.expression, definition.series, definition.period_seconds)
        return {"Metrics": queries}
    (series,) = definition.series.values()
    return {
        "Namespace": series.namespace,
        "MetricName": series.name,
        "Dimensions": _dimensions(series),
        "ExtendedStatistic" if series.statistic.startswith("p") else "Statistic": series.statistic,
        "Period": definition.period_seconds,
    }


def metric_queries(label: str, expression: str | None, series: Mapping[str, Series], period_seconds: int) -> list[Any]:
    """Write metric math over series by their names as an alarm wants it; the expression is what it looks at."""
    result = {"Id": "result", "Label": label, "Expression": expression}
    return [result, *(_query(name, one, period_seconds) for name, one in series.items())]


def _query(name: str, series: Series, period_seconds: int) -> dict[str, Any]:
    metric = {"Namespace": series.namespace, "MetricName": series.name, "Dimensions": _dimensions(series)}
    return {
        "Id": name,
        "MetricStat": {"Metric": metric, "Period": period_seconds, "Stat": series.statistic},
        "ReturnData": False,
    }


def _dimensions(series: Series) -> list[Any]:
    return [{"Name": name, "Value": value} for name, value in series.dimensions]
