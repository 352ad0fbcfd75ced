"""How fast an account may start tasks."""

from __future__ import annotations

from collections import deque

_MINUTE_SECONDS = 60.0
_MOST_A_MINUTE = 500


class LaunchBudget:
    """A bucket of tokens; whoever takes one is told when it is there. Takers are served in order."""

    def __init__(self, burst: float, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = burst
        self._at = 0.0

    @classmethod
    def of_fargate(cls) -> LaunchBudget:
        """Give that of tasks on Fargate, and as many on Fargate Spot: 100 at once, 20 a second.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html
        """
        return cls(100, 20)

    @classmethod
    def of_run_task(cls) -> LaunchBudget:
        """Give that of calls of RunTask: 20 at once, 20 a second (the same page)."""
        return cls(20, 20)

    def take(self, now: float) -> float:
        """Take a token, now or as soon as there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second) - 1
        self._at = now
        return now if self._tokens >= 0 else now - self._tokens / self._per_second


class ServiceRate:
    """Lets a service launch 500 tasks in any minute, whatever the account may.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
    """

    def __init__(self) -> None:
        self._launches: deque[float] = deque(maxlen=_MOST_A_MINUTE)

    def take(self, at: float) -> float:
        """Give the time of a launch: when it is to be, or as soon as fewer than 500 were in the minute before."""
        is_full = len(self._launches) == _MOST_A_MINUTE
        launched_at = max(at, self._launches[0] + _MINUTE_SECONDS) if is_full else at
        self._launches.append(launched_at)
        return launched_at
