"""What CloudWatch knows of the queue and the service, minute by minute."""

from __future__ import annotations

import dataclasses
import math

PERIOD_SECONDS = 60.0
"""SQS and ECS publish a datapoint each minute.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
"""

ASLEEP_AFTER_SECONDS = 6 * 3600.0
"""A queue that nobody touches and that holds nothing stops publishing after six hours …"""

WAKING_SECONDS = 15 * 60.0
"""… and may take up to 15 minutes to begin again; simulated is all of it (the same page)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Datapoint:
    """One minute: messages of the queue, and tasks of the service."""

    visible: int
    not_visible: int
    delayed: int
    running: int
    desired: int


NAMES = {
    "ApproximateNumberOfMessagesVisible": "visible",
    "ApproximateNumberOfMessagesNotVisible": "not_visible",
    "ApproximateNumberOfMessagesDelayed": "delayed",
    "RunningTaskCount": "running",
    "DesiredTaskCount": "desired",
}
"""The metrics that can be simulated, and where their values are in a datapoint."""


class Sleep:
    """Whether the queue publishes: not when it has been empty and untouched for six hours, until it has woken."""

    def __init__(self, idle_before_seconds: float) -> None:
        self._touched_at = -idle_before_seconds
        self._awake_from = -math.inf if idle_before_seconds < ASLEEP_AFTER_SECONDS else None

    def is_awake(self, now: float, *, touched: bool) -> bool:
        """Hear whether the queue holds messages or is being polled, and say whether it publishes."""
        if touched:
            self._touched_at = max(self._touched_at, now)
            if self._awake_from is None:
                self._awake_from = now + WAKING_SECONDS
        elif now - self._touched_at >= ASLEEP_AFTER_SECONDS:
            self._awake_from = None
        return self._awake_from is not None and now >= self._awake_from
