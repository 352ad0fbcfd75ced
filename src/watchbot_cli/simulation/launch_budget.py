"""How fast an account may start tasks."""

from __future__ import annotations


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
