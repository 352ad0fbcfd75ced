"""How fast tasks may be launched: a share of what ECS allows the account, and less while ECS refuses."""

from __future__ import annotations

import asyncio

_ACCOUNT_RATE = 20.0
_ACCOUNT_BURST = 100.0
"""Launches a second, and at once, that an account has in a Region.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html
"""

_LOWEST_RATE = 0.2
_BACK_OFF = 0.5
_COME_BACK = 1.05


class LaunchBudget:
    """A bucket of launches that fills at this watcher's share of the account's rate.

    ECS counts launches for the whole account and says no when others take more than their share: the rate is then
    halved, and grows back with every launch that ECS takes.
    """

    def __init__(self, watchers: int) -> None:
        self._share = _ACCOUNT_RATE / watchers
        self._burst = max(1.0, _ACCOUNT_BURST / watchers)
        self._rate = self._share
        self._left = self._burst
        self._filled_at: float | None = None
        self._turn = asyncio.Lock()
        self._closed = asyncio.Event()

    async def take(self) -> None:
        """Wait for one launch; those who wait are served in the order they came."""
        async with self._turn:
            self._fill()
            if self._left < 1:
                await self._wait((1 - self._left) / self._rate)
                self._fill()
            self._left = max(0.0, self._left - 1)

    def close(self) -> None:
        """Keep nobody waiting any more: nothing is launched from now on."""
        self._closed.set()

    def refused(self) -> None:
        """Slow down: ECS has throttled a launch."""
        self._left = 0.0
        self._rate = max(_LOWEST_RATE, self._rate * _BACK_OFF)

    def granted(self) -> None:
        """Come back towards the share: ECS has taken a launch."""
        self._rate = min(self._share, self._rate * _COME_BACK)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass

    def _fill(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._filled_at is not None:
            self._left = min(self._burst, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
