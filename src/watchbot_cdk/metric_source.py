"""Where the metrics of one service are found in CloudWatch, for alarms, dashboard and metrics alike."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from watchbot.contract import METRIC_NAMESPACE, METRIC_SERVICE, Metric

VISIBLE = "ApproximateNumberOfMessagesVisible"
NOT_VISIBLE = "ApproximateNumberOfMessagesNotVisible"
OLDEST_AGE = "ApproximateAgeOfOldestMessage"

OUTSTANDING = "(visible + FILL(hidden, 0))"
"""Messages that wait or are worked on, of two series so named; SQS writes nothing of hidden ones while there are none.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """One metric under one statistic."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MetricSource:
    """The names under which a service and its parts write metrics; those of its tasks are asked for only when used."""

    service: str
    queue: str
    dead_letter_queue: str
    tasks: Callable[[], tuple[tuple[str, str], ...]]

    def of_watchers(self, metric: Metric, statistic: str) -> Series:
        """Give one of the metrics that watchers write."""
        return Series(METRIC_NAMESPACE, metric.value, ((METRIC_SERVICE, self.service),), statistic)

    def of_queue(self, name: str, statistic: str) -> Series:
        """Give one of SQS's metrics of the queue."""
        return Series("AWS/SQS", name, (("QueueName", self.queue),), statistic)

    def of_dead_letters(self, name: str, statistic: str) -> Series:
        """Give one of SQS's metrics of the dead-letter queue."""
        return Series("AWS/SQS", name, (("QueueName", self.dead_letter_queue),), statistic)

    def of_tasks(self, name: str, statistic: str) -> Series:
        """Give one of ECS's metrics of the tasks of the service."""
        return Series("AWS/ECS", name, self.tasks(), statistic)
