"""What the watchers and SQS have written to CloudWatch in the last hour, read with one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from watchbot.contract import METRIC_NAMESPACE, METRIC_SERVICE, Description, Metric
from watchbot_cli.status.snapshot import Metrics, Percentiles, Rate

_HOUR_SECONDS = 3600
_MINUTE_SECONDS = 60
_RECENT = timedelta(minutes=5)

_COUNTS = {
    "received": Metric.MESSAGE_RECEIVES,
    "succeeded": Metric.WORKER_SUCCESSES,
    "failed": Metric.WORKER_ERRORS,
    "dead_lettered": Metric.DEAD_LETTERED,
    "no_op": Metric.NO_OPS,
    "interrupted": Metric.INTERRUPTED,
}
_STATES = {"workers": Metric.WATCHER_CONCURRENCY, "waiting_to_start": Metric.UNPLACED_WORKERS}
_DURATIONS = {"job": Metric.WORKER_DURATION, "sent_to_settled": Metric.RESPONSE_DURATION}
_PERCENTILES = ("p50", "p90", "p99")
_OLDEST = "ApproximateAgeOfOldestMessage"
"""In seconds; SQS has no attribute for it.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

_Series = Mapping[datetime, float]


def read_metrics(cloudwatch: Any, service: Description, now: datetime) -> Metrics:
    """Read the last hour of whole minutes.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
    """
    end = now.replace(second=0, microsecond=0)
    series: dict[str, dict[datetime, float]] = {}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=_queries(service), StartTime=end - timedelta(seconds=_HOUR_SECONDS), EndTime=end
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            values = zip(result["Timestamps"], result["Values"], strict=True)
            series.setdefault(result["Id"], {}).update(values)
    return _metrics(series, end)


def _metrics(series: Mapping[str, _Series], end: datetime) -> Metrics:
    return Metrics(
        oldest_seconds=_recent(series.get("oldest", {}), end),
        oldest_dead_letter_seconds=_recent(series.get("oldest_dead_letter", {}), end),
        workers=_whole(_recent(series.get("workers", {}), end)),
        waiting_to_start=_whole(_recent(series.get("waiting_to_start", {}), end)),
        per_minute={name: _rate(series.get(name, {}), end) for name in _COUNTS},
        job_seconds=_percentiles(series, "job"),
        sent_to_settled_seconds=_percentiles(series, "sent_to_settled"),
    )


def _recent(series: _Series, end: datetime) -> float | None:
    newest = max(series, default=None)
    return None if newest is None or newest < end - _RECENT else series[newest]


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def _rate(series: _Series, end: datetime) -> Rate:
    recent = sum(value for when, value in series.items() if when >= end - _RECENT)
    return Rate(recent / (_RECENT / timedelta(minutes=1)), sum(series.values()) / (_HOUR_SECONDS / _MINUTE_SECONDS))


def _percentiles(series: Mapping[str, _Series], name: str) -> Percentiles:
    """Give what one period of an hour holds; the newest of them, should CloudWatch have cut the hour in two."""
    found = []
    for percentile in _PERCENTILES:
        one = series.get(f"{name}_{percentile}", {})
        found.append(one[max(one)] / 1000 if one else None)
    return Percentiles(*found)


def _queries(service: Description) -> list[dict[str, Any]]:
    queries = [_of_watchers(name, service, metric, "Sum") for name, metric in (_COUNTS | _STATES).items()]
    queries += [
        _of_watchers(f"{name}_{percentile}", service, metric, percentile, _HOUR_SECONDS)
        for name, metric in _DURATIONS.items()
        for percentile in _PERCENTILES
    ]
    for name, url in (("oldest", service.queue_url), ("oldest_dead_letter", service.dead_letter_queue_url)):
        dimensions = [{"Name": "QueueName", "Value": queue_name(url)}]
        queries.append(_query(name, ("AWS/SQS", _OLDEST), dimensions, "Maximum"))
    return queries


def queue_name(url: str) -> str:
    """Give the name of a queue, which is how its metrics call it."""
    return url.rpartition("/")[2]


def _of_watchers(
    name: str, service: Description, metric: Metric, statistic: str, seconds: int = _MINUTE_SECONDS
) -> dict[str, Any]:
    dimensions = [{"Name": METRIC_SERVICE, "Value": service.service}]
    return _query(name, (METRIC_NAMESPACE, metric.value), dimensions, statistic, seconds)


def _query(
    name: str,
    metric: tuple[str, str],
    dimensions: Sequence[Mapping[str, str]],
    statistic: str,
    seconds: int = _MINUTE_SECONDS,
) -> dict[str, Any]:
    of = {"Namespace": metric[0], "MetricName": metric[1], "Dimensions": list(dimensions)}
    return {"Id": name, "MetricStat": {"Metric": of, "Period": seconds, "Stat": statistic}}
