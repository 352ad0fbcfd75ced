"""How often ECS may be called: a share of what it allows the account, and less while it refuses."""

from __future__ import annotations

import asyncio

from watchbot.wait import passed

_LOWEST_RATE = 0.2
_BACK_OFF = 0.5
_COME_BACK = 1.05
_TOGETHER_SECONDS = 1.0


class CallBudget:
    """A bucket of calls, of which there are ``burst`` at first and ``rate`` more a second.

    ECS counts calls for the whole account and says no when others take more than their share: the rate is then
    halved, and grows back with every call that ECS takes. Calls that were under way together and are refused together
    halve it once.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._share = rate
        self._burst = max(1.0, burst)
        self._rate = rate
        self._left = self._burst
        self._filled_at: float | None = None
        self._slowed_at: float | None = None
        self._turn = asyncio.Lock()
        self._closed = asyncio.Event()

    async def take(self) -> None:
        """Wait for one call; those who wait are served in the order they came."""
        async with self._turn:
            self._fill()
            if self._left < 1:
                await passed((1 - self._left) / self._rate, unless=self._closed)
                self._fill()
            self._left = max(0.0, self._left - 1)

    def close(self) -> None:
        """Keep nobody waiting any more: the watcher is stopping."""
        self._closed.set()

    def refused(self) -> None:
        """Slow down: ECS has throttled a call."""
        self._left = 0.0
        now = asyncio.get_running_loop().time()
        if self._slowed_at is not None and now - self._slowed_at < _TOGETHER_SECONDS:
            return
        self._slowed_at = now
        self._rate = max(_LOWEST_RATE, self._rate * _BACK_OFF)

    def granted(self) -> None:
        """Come back towards the share: ECS has taken a call."""
        self._rate = min(self._share, self._rate * _COME_BACK)

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._filled_at is not None:
            self._left = min(self._burst, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now


def launches(watchers: int) -> CallBudget:
    """Give one watcher's share of the RunTask calls of an account: on Fargate 20 a second, and no more at once.

    Only half of them at once, because calls that are late meet those behind them. As many tasks may be launched a
    second, and 100 at once, which is of no use to us: we launch one task a call.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html
    """
    return CallBudget(20 / watchers, 10 / watchers)


POLLS_A_SECOND = 10.0
"""Half of the DescribeTasks and ListTasks calls that an account has: those that follow running tasks.

It has 20 a second, and 100 at once: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html.
"""

_READS_A_SECOND = 15.0
_READS_AT_ONCE = 50.0
"""Look-ups of earlier tasks may take some more, and what is left is for others."""


def reads(watchers: int) -> CallBudget:
    """Give one watcher's share of the DescribeTasks and ListTasks calls that all watchers of a service may make."""
    return CallBudget(_READS_A_SECOND / watchers, _READS_AT_ONCE / watchers)
