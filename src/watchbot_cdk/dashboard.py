"""The dashboard of a service: one page that says how it is doing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import Aws

from watchbot.contract import Metric
from watchbot_cdk.deploy_time import is_deploy_time
from watchbot_cdk.included import Resource
from watchbot_cdk.metric_source import NOT_VISIBLE, OLDEST_AGE, VISIBLE, MetricSource, Series

COLUMNS = 24
"""How wide a dashboard of CloudWatch is."""

_WIDTH, _HEIGHT = 8, 6
_PERIOD_SECONDS = 60
_REGION = Aws.REGION
_BLUE, _ORANGE, _GREEN, _RED, _PURPLE, _GREY, _BROWN = (
    "#1f77b4",
    "#ff7f0e",
    "#2ca02c",
    "#d62728",
    "#9467bd",
    "#7f7f7f",
    "#8c564b",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a widget: a series, or an expression over lines of the same widget by their ids."""

    label: str
    color: str
    series: Series | None = None
    expression: str | None = None
    id: str | None = None
    visible: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Widget:
    """One graph of a dashboard; ``most`` is a line across it."""

    title: str
    unit: str
    lines: Sequence[Line]
    stacked: bool = False
    most: float | None = None


def dashboard_resource(source: MetricSource, most_watchers: float | None) -> Resource:
    """Write the dashboard; CloudFormation names it, so that any number of services fit in an account.

    The most watchers there may be is a line, unless only the deployment knows it: JSON has no place to fill it in.
    """
    is_known = most_watchers is not None and not is_deploy_time(most_watchers)
    body = dashboard_body(widgets(source, most_watchers if is_known else None), _REGION)
    return {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": json.dumps(body)}}


def widgets(source: MetricSource, most_watchers: float | None = None) -> list[Widget]:
    """Give the widgets, three in a row."""
    return [
        _queue_depth(source),
        Widget(
            "Age of the oldest message",
            "seconds",
            [Line("oldest", _BLUE, source.of_queue(OLDEST_AGE, "Maximum"))],
        ),
        Widget(
            "Messages in and out",
            "a minute",
            [
                Line("in", _BLUE, source.of_queue("NumberOfMessagesSent", "Sum")),
                Line("out", _GREEN, source.of_queue("NumberOfMessagesDeleted", "Sum")),
            ],
        ),
        _percentiles("Dwell: from sent to settled", source, Metric.RESPONSE_DURATION),
        _percentiles("Duration of jobs", source, Metric.WORKER_DURATION),
        _outcomes(source),
        _tasks(source, most_watchers),
        _failures(source),
        Widget(
            "Dead letters",
            "messages",
            [Line("dead letters", _RED, source.of_dead_letters(VISIBLE, "Maximum"))],
        ),
    ]


def _queue_depth(source: MetricSource) -> Widget:
    lines = [
        Line("waiting", _BLUE, source.of_queue(VISIBLE, "Maximum")),
        Line("in flight", _ORANGE, source.of_queue(NOT_VISIBLE, "Maximum")),
    ]
    return Widget("Queue", "messages", lines, stacked=True)


def _percentiles(title: str, source: MetricSource, metric: Metric) -> Widget:
    shown = (("p50", _GREEN), ("p90", _ORANGE), ("p99", _RED))
    return Widget(title, "ms", [Line(name, color, source.of_watchers(metric, name)) for name, color in shown])


def _counts(source: MetricSource, *shown: tuple[str, str, Metric]) -> list[Line]:
    return [Line(label, color, source.of_watchers(metric, "Sum")) for label, color, metric in shown]


def _outcomes(source: MetricSource) -> Widget:
    lines = _counts(
        source,
        ("succeeded", _GREEN, Metric.WORKER_SUCCESSES),
        ("not now", _GREY, Metric.NO_OPS),
        ("interrupted", _PURPLE, Metric.INTERRUPTED),
        ("errors", _RED, Metric.WORKER_ERRORS),
    )
    return Widget("Outcomes", "jobs a minute", lines, stacked=True)


def _tasks(source: MetricSource, most_watchers: float | None) -> Widget:
    # Each watcher writes its concurrency once a minute: the number of values is that of the watchers, the sum that of
    # the jobs, which with Isolation.TASK are tasks of their own.
    lines = [
        Line("watchers", _GREY, source.of_watchers(Metric.WATCHER_CONCURRENCY, "SampleCount")),
        Line("jobs at once", _BLUE, source.of_watchers(Metric.WATCHER_CONCURRENCY, "Sum")),
        Line("workers that do not start", _RED, source.of_watchers(Metric.UNPLACED_WORKERS, "Sum")),
    ]
    return Widget("Tasks running", "", lines, most=most_watchers)


def _failures(source: MetricSource) -> Widget:
    errors = Line("", _GREY, source.of_watchers(Metric.WORKER_ERRORS, "Sum"), id="errors", visible=False)
    kinds = [
        ("rejected", _ORANGE, Metric.REJECTED),
        ("dead-lettered", _PURPLE, Metric.DEAD_LETTERED),
        ("timed out", _BROWN, Metric.TIMED_OUT),
    ]
    named = [
        Line(label, color, source.of_watchers(metric, "Sum"), id=f"kind{number}")
        for number, (label, color, metric) in enumerate(kinds)
    ]
    rest = " - ".join(["FILL(errors, 0)", *(f"FILL({line.id}, 0)" for line in named)])
    failed = Line("failed", _RED, expression=rest, id="failed")
    lost = Line("leases lost", _BLUE, source.of_watchers(Metric.LEASE_LOST, "Sum"))
    return Widget("Failures by kind", "jobs a minute", [errors, failed, *named, lost], stacked=True)


def dashboard_body(shown: Sequence[Widget], region: str) -> dict[str, Any]:
    """Lay the widgets out as CloudWatch wants it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    return {
        "start": "-PT6H",
        # Counts are a minute's: over longer periods, which CloudWatch would choose for itself, they would be others.
        "periodOverride": "inherit",
        "widgets": [_placed(widget, number, region) for number, widget in enumerate(shown)],
    }


def _placed(widget: Widget, number: int, region: str) -> dict[str, Any]:
    in_row = COLUMNS // _WIDTH
    return {
        "type": "metric",
        "x": number % in_row * _WIDTH,
        "y": number // in_row * _HEIGHT,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": {
            "title": widget.title,
            "view": "timeSeries",
            "stacked": widget.stacked,
            "region": region,
            "period": _PERIOD_SECONDS,
            "yAxis": {"left": {"label": widget.unit, "showUnits": False, "min": 0}},
            "metrics": [_metric(line) for line in widget.lines],
            **_limit(widget),
        },
    }


def _limit(widget: Widget) -> dict[str, Any]:
    if widget.most is None:
        return {}
    return {"annotations": {"horizontal": [{"label": "most watchers", "value": widget.most, "color": _GREY}]}}


def _metric(line: Line) -> list[Any]:
    shown: dict[str, Any] = {"label": line.label, "color": line.color}
    if line.id is not None:
        shown["id"] = line.id
    if not line.visible:
        shown["visible"] = False
    if line.series is None:
        return [{"expression": line.expression, **shown}]
    series = line.series
    return [
        series.namespace,
        series.name,
        *(part for pair in series.dimensions for part in pair),
        {"stat": series.statistic, **shown},
    ]
