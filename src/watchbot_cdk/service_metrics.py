"""The metrics of a service as CDK's own, for alarms and dashboards of one's own."""

from __future__ import annotations

from typing import TypedDict, Unpack

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from watchbot.contract import Metric
from watchbot_cdk.metric_source import NOT_VISIBLE, OLDEST_AGE, OUTSTANDING, VISIBLE, MetricSource, Series


class MetricOptions(TypedDict, total=False):
    """What any ``metric_…`` method takes by keyword, as CDK's own do: ``period`` is 5 minutes by default."""

    statistic: str
    period: Duration
    label: str
    color: str
    account: str
    region: str


class ServiceMetrics:
    """The ``metric_…`` methods of a Watchbot; each takes the keywords of :class:`MetricOptions`."""

    _metric_source: MetricSource

    def metric_message_receives(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Messages received; their sum."""
        return self._of_watchers(Metric.MESSAGE_RECEIVES, "Sum", options)

    def metric_worker_successes(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs that succeeded; their sum."""
        return self._of_watchers(Metric.WORKER_SUCCESSES, "Sum", options)

    def metric_worker_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs that failed, were rejected, dead-lettered or timed out; their sum."""
        return self._of_watchers(Metric.WORKER_ERRORS, "Sum", options)

    def metric_worker_duration(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """How long workers ran, in milliseconds; the average."""
        return self._of_watchers(Metric.WORKER_DURATION, "Average", options)

    def metric_worker_pending(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """From the first try to start a worker until it had begun, in milliseconds; the average."""
        return self._of_watchers(Metric.WORKER_PENDING, "Average", options)

    def metric_response_duration(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """From when a message was sent until it was settled, in milliseconds; the average."""
        return self._of_watchers(Metric.RESPONSE_DURATION, "Average", options)

    def metric_watcher_concurrency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs at once in a watcher, the most of each minute; the maximum."""
        return self._of_watchers(Metric.WATCHER_CONCURRENCY, "Maximum", options)

    def metric_failed_worker_placement(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Distinct reasons why workers did not start; their sum."""
        return self._of_watchers(Metric.FAILED_WORKER_PLACEMENT, "Sum", options)

    def metric_unplaced_workers(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Workers of a watcher that wait to be started again, the most of each minute; the maximum."""
        return self._of_watchers(Metric.UNPLACED_WORKERS, "Maximum", options)

    def metric_unstopped_workers(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Workers of a watcher that still ran minutes after they were to stop, the most of each minute; the maximum."""
        return self._of_watchers(Metric.UNSTOPPED_WORKERS, "Maximum", options)

    def metric_interrupted(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs interrupted by a deployment, by Spot or with their host; their sum."""
        return self._of_watchers(Metric.INTERRUPTED, "Sum", options)

    def metric_timed_out(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs that ran longer than the job timeout; their sum."""
        return self._of_watchers(Metric.TIMED_OUT, "Sum", options)

    def metric_rejected(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs whose messages were rejected; their sum."""
        return self._of_watchers(Metric.REJECTED, "Sum", options)

    def metric_dead_lettered(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs that had their messages dead-lettered at once; their sum."""
        return self._of_watchers(Metric.DEAD_LETTERED, "Sum", options)

    def metric_no_ops(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Jobs that answered not now; their sum."""
        return self._of_watchers(Metric.NO_OPS, "Sum", options)

    def metric_invalid_signatures(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Messages of the webhook whose signature was not valid; their sum."""
        return self._of_watchers(Metric.INVALID_SIGNATURES, "Sum", options)

    def metric_lease_lost(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Leases that ended while their job was running or waiting; their sum."""
        return self._of_watchers(Metric.LEASE_LOST, "Sum", options)

    def metric_log_lines_dropped(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Lines of workers that were over the log rate; their sum."""
        return self._of_watchers(Metric.LOG_LINES_DROPPED, "Sum", options)

    def metric_outstanding(
        self,
        *,
        period: Duration | None = None,
        label: str | None = None,
        color: str | None = None,
    ) -> cloudwatch.MathExpression:
        """Messages that wait or are worked on; the maxima of both."""
        source = self._metric_source
        series = {"visible": source.of_queue(VISIBLE, "Maximum"), "hidden": source.of_queue(NOT_VISIBLE, "Maximum")}
        return cloudwatch.MathExpression(
            expression=OUTSTANDING,
            using_metrics={name: _metric(one, {}) for name, one in series.items()},
            period=period,
            label="Outstanding" if label is None else label,
            color=color,
        )

    def metric_oldest_message_age(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Age of the oldest message in the queue, in seconds; the maximum."""
        return _metric(self._metric_source.of_queue(OLDEST_AGE, "Maximum"), options)

    def metric_dead_letters(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Messages in the dead-letter queue; the maximum."""
        return _metric(self._metric_source.of_dead_letters(VISIBLE, "Maximum"), options)

    def _of_watchers(self, metric: Metric, statistic: str, options: MetricOptions) -> cloudwatch.Metric:
        return _metric(self._metric_source.of_watchers(metric, statistic), options)


def _metric(series: Series, options: MetricOptions) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=series.namespace,
        metric_name=series.name,
        dimensions_map=dict(series.dimensions),
        statistic=options.get("statistic", series.statistic),
        period=options.get("period"),
        label=options.get("label"),
        color=options.get("color"),
        account=options.get("account"),
        region=options.get("region"),
    )
