"""Enough of CloudWatch to see what an alarm of a template does: statistics, the metric math we use, M out of N."""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Minutes = Mapping[int, Sequence[float]]
"""The values that were written in each minute."""

Metrics = Mapping[str, Minutes]
"""Those of each metric, by its name; of two queues with ``dead.`` before that of the dead-letter queue."""

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}

_STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Sum": math.fsum,
    "Maximum": max,
    "Average": lambda values: math.fsum(values) / len(values),
    "p99": lambda values: sorted(values)[math.ceil(0.99 * len(values)) - 1],
}

_LOOK_BACK = 2

Points = list[float | None]
"""One value for each period, the oldest first; None where nothing is known."""


def states(alarm: Mapping[str, Any], metrics: Metrics, minutes: int, *, late: int = 0) -> list[bool]:
    """Say after each minute whether this alarm of a template is on; values arrive so many minutes late.

    Every alarm of ours wants all its periods beyond the threshold and takes missing data as good, but only what is
    missing after a look further back:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]
    return [_is_on(alarm, metrics, now, now - late) for now in range(1, minutes + 1)]


def _is_on(alarm: Mapping[str, Any], metrics: Metrics, now: int, arrived: int) -> bool:
    compare = {"GreaterThanThreshold": operator.gt, "GreaterThanOrEqualToThreshold": operator.ge}
    beyond = compare[alarm["ComparisonOperator"]]
    periods = alarm["EvaluationPeriods"]
    # One more than looked at, for DIFF.
    points = _points(alarm, metrics, now, arrived, periods + _LOOK_BACK + 1)[1:]
    known = [point for point in points if point is not None][-periods:]
    return len(known) == periods and all(beyond(point, alarm["Threshold"]) for point in known)


def _points(alarm: Mapping[str, Any], metrics: Metrics, now: int, arrived: int, count: int) -> Points:
    if "Metrics" not in alarm:
        statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
        return _statistics(metrics[_key(alarm)], statistic, alarm["Period"] // 60, now, arrived, count)
    (result,) = [query for query in alarm["Metrics"] if query.get("ReturnData", True)]
    series = {
        query["Id"]: _statistics(metrics[_key(stat["Metric"])], stat["Stat"], stat["Period"] // 60, now, arrived, count)
        for query in alarm["Metrics"]
        if (stat := query.get("MetricStat")) is not None
    }
    return evaluate(result["Expression"], series)


def _key(metric: Mapping[str, Any]) -> str:
    (dimension,) = metric["Dimensions"]
    dead = "dead." if "DeadLetter" in str(dimension["Value"]) else ""
    return f"{dead}{metric['MetricName']}"


def _statistics(minutes: Minutes, statistic: str, width: int, now: int, arrived: int, count: int) -> Points:
    points: Points = []
    for end in range(now - (count - 1) * width, now + 1, width):
        values = [value for minute in range(end - width, min(end, arrived)) for value in minutes.get(minute, ())]
        points.append(_STATISTICS[statistic](values) if values else None)
    return points


def evaluate(expression: str, series: Mapping[str, Points]) -> Points:
    """Evaluate metric math over series of one length."""
    (length,) = {len(points) for points in series.values()}
    return _evaluated(_parsed(expression), series, length)


@functools.cache
def _parsed(expression: str) -> ast.expr:
    return ast.parse(expression.replace(" AND ", " and "), mode="eval").body


def _evaluated(node: ast.expr, series: Mapping[str, Points], length: int) -> Points:
    def of(part: ast.expr) -> Points:
        return _evaluated(part, series, length)

    match node:
        case ast.Constant(value=int() | float() as value):
            return [value] * length
        case ast.Name(id=name):
            return series[name]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return _pointwise(_OPERATORS[type(op)], of(left), of(right))
        case ast.BoolOp(op=ast.And(), values=[left, right]):
            return _pointwise(lambda one, other: bool(one) and bool(other), of(left), of(right))
        case ast.Call(func=ast.Name(id="FILL"), args=[filled, ast.Constant(value=int() as value)]):
            return [value if point is None else point for point in of(filled)]
        case ast.Call(func=ast.Name(id="DIFF"), args=[grown]):
            points = of(grown)
            return [None, *_pointwise(operator.sub, points[1:], points[:-1])]
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            choices = zip(of(condition), of(then), of(otherwise), strict=True)
            return [None if test is None else yes if test else no for test, yes, no in choices]
    raise AssertionError(f"no metric math: {ast.dump(node)}")


def _pointwise(combine: Callable[[float, float], float], left: Points, right: Points) -> Points:
    # CloudWatch divides by zero to nothing, as it combines anything with what is missing.
    return [
        None if one is None or other is None or (combine is operator.truediv and other == 0) else combine(one, other)
        for one, other in zip(left, right, strict=True)
    ]
