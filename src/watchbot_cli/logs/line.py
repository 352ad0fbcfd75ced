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
    """What a container wrote, when (in ms since 1970), and what it says if it is a line of a journal.

    A watcher alone says what becomes of messages. Any other container may write the same text: of its lines only those
    that claim to be a worker's are read, as ``watchbot-log`` writes them.
    """

    event_id: str
    at: int
    stream: str
    text: str
    entry: Entry | None
    by_watcher: bool

    @classmethod
    def of(cls, event: Mapping[str, Any], watchers: str) -> Line:
        """Read an event of FilterLogEvents; the names of the streams of watchers begin with ``watchers``.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilteredLogEvent.html
        """
        text = event["message"].rstrip("\r\n")
        stream = event["logStreamName"]
        by_watcher = stream.startswith(watchers)
        entry = parse_line(text)
        if entry is not None and not by_watcher and entry.event is not None:
            entry = None
        return cls(event["eventId"], event["timestamp"], stream, text, entry, by_watcher)

    @property
    def holds_metrics(self) -> bool:
        """Whether it is how a watcher tells CloudWatch its metrics, and nothing for people."""
        start, namespace = _METRICS
        return self.by_watcher and self.text.startswith(start) and namespace in self.text
