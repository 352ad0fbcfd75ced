"""The alarms of a service in its stack."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from watchbot_cdk.alarm_definitions import AlarmDefinition, WatchedService, alarm_definitions
from watchbot_cdk.alarms import Alarms
from watchbot_cdk.metric_source import Series
from watchbot_cdk.notifications import arn_of


def add_alarms(
    scope: Construct, alarms: Alarms, service: WatchedService, topic: sns.ITopic
) -> Mapping[str, cloudwatch.CfnAlarm]:
    """Create the alarms that are on, by name; each tells the topic.

    They are resources of CloudFormation as they are, because CDK's own alarms would take twice the time to synthesise.
    """
    chosen = alarm_definitions(alarms, service)
    actions = [arn_of(topic)] if chosen else []
    return MappingProxyType({one.name: _add_alarm(scope, one, alarms, actions) for one in chosen})


def _add_alarm(
    scope: Construct, definition: AlarmDefinition, alarms: Alarms, actions: list[str]
) -> cloudwatch.CfnAlarm:
    single = next(iter(definition.series.values())) if definition.expression is None else None
    return cloudwatch.CfnAlarm(
        scope,
        f"{definition.name}Alarm",
        alarm_description=definition.description(alarms.runbook_base),
        namespace=None if single is None else single.namespace,
        metric_name=None if single is None else single.name,
        dimensions=None if single is None else _dimensions(single),
        statistic=None if single is None or _is_percentile(single) else single.statistic,
        extended_statistic=single.statistic if single is not None and _is_percentile(single) else None,
        period=None if single is None else definition.period_seconds,
        metrics=None
        if single is not None
        else metric_queries(definition.name, definition.expression, definition.series, definition.period_seconds),
        evaluation_periods=definition.periods,
        datapoints_to_alarm=definition.periods,
        threshold=definition.threshold,
        comparison_operator=("GreaterThanOrEqualToThreshold" if definition.at_least else "GreaterThanThreshold"),
        treat_missing_data="notBreaching",
        alarm_actions=actions,
        ok_actions=actions if alarms.ok_actions else None,
    )


def _is_percentile(series: Series) -> bool:
    return series.statistic.startswith("p")


def metric_queries(label: str, expression: str | None, series: Mapping[str, Series], period_seconds: int) -> list[Any]:
    """Write metric math over series by their names as an alarm wants it; the expression is what it looks at."""
    result = {"id": "result", "label": label, "expression": expression}
    return [result, *(_query(name, one, period_seconds) for name, one in series.items())]


def _query(name: str, series: Series, period_seconds: int) -> dict[str, Any]:
    metric = {"namespace": series.namespace, "metricName": series.name, "dimensions": _dimensions(series)}
    return {
        "id": name,
        "metricStat": {"metric": metric, "period": period_seconds, "stat": series.statistic},
        "returnData": False,
    }


def _dimensions(series: Series) -> list[Any]:
    return [{"name": name, "value": value} for name, value in series.dimensions]
