"""How long failed messages stay away."""

from __future__ import annotations

import dataclasses

from aws_cdk import Duration


@dataclasses.dataclass(frozen=True)
class Backoff:
    """A failed message is visible again after ``base ** receive_count`` seconds, at most ``cap``.

    :param base: 1 to 60; 2 by default: 2, 4, 8 … seconds.
    :param cap: 15 minutes by default, 12 hours at most. Messages that wait are in flight to SQS, which allows
        120,000 of them a queue.
    :param jitter: the share of the time, 0 to 1, that chance may take away; none by default.
    """

    base: float = 2
    cap: Duration | None = None
    jitter: float = 0
