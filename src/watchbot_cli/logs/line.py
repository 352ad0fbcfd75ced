"""One line of a service's log."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from watchbot.contract import METRIC_NAMESPACE
from watchbot.journal import Entry, parse_line

_METRICS = ('{"_aws": ', f'"Namespace": "{METRIC_NAMESPACE}"')


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """What a container wrote, when (in ms since 1970), and what it says if it is a watcher's journal."""

    event_id: str
    at: int
    stream: str
    text: str
    entry: Entry | None

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Line:
        """Read an event of FilterLogEvents.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilteredLogEvent.html
        """
        text = event["message"].rstrip("\r\n")
        return cls(event["eventId"], event["timestamp"], event["logStreamName"], text, parse_line(text))

    @property
    def holds_metrics(self) -> bool:
        """Whether it is how a watcher tells CloudWatch its metrics, and nothing for people."""
        start, namespace = _METRICS
        return self.text.startswith(start) and namespace in self.text
