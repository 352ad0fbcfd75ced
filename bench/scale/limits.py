"""How often an account may call ECS.

One bucket for all actions of a category, whoever calls:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html. Fargate has two more for RunTask,
one for the calls and one for the tasks launched by them:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.scale.bucket import TokenBucket

_MODIFY, _READ, _RUN_TASK, _LAUNCH = "modify", "read", "RunTask on Fargate", "tasks launched on Fargate"

_BUCKETS = {_MODIFY: (100, 40), _READ: (100, 20), _RUN_TASK: (20, 20), _LAUNCH: (100, 20)}
"""Burst and calls a second."""

_DRAWS_ON = {
    "RunTask": (_MODIFY, _RUN_TASK, _LAUNCH),
    "StopTask": (_MODIFY,),
    "DescribeTasks": (_READ,),
    "ListTasks": (_READ,),
}

READS = ("DescribeTasks", "ListTasks")
READS_A_SECOND = _BUCKETS[_READ][1]


class Limits:
    """The buckets of one account in one Region."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._buckets = {name: TokenBucket(burst, rate, now) for name, (burst, rate) in _BUCKETS.items()}

    def allow(self, operation: str) -> bool:
        """Whether this call may be made now; takes its tokens if so. RunTask counts as one task."""
        wanted = [self._buckets[name] for name in _DRAWS_ON.get(operation, ())]
        if any(bucket.is_empty for bucket in wanted):
            return False
        for bucket in wanted:
            bucket.take()
        return True
