"""Damage to this container that only a new one mends: a full disk, no descriptors or processes left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_GIVE_UP_SECONDS = 600.0
_TRIED_SECONDS = 300.0
"""The longest pause between two tries of a message: without a failure for longer, nothing was to start."""

GiveUp = Callable[[str], None]
"""Ends the watcher with exit code 1, for this reason, so that ECS replaces its task."""


class LocalDamage:
    """Gives the container up once every start has failed for local reasons for ten minutes.

    One start that succeeds ends the count. Time in which no start is tried does not count: a watcher that receives
    nothing, on purpose or because nothing comes, is not damaged.
    """

    def __init__(self, give_up: GiveUp) -> None:
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None
        self._last_at = 0.0
        self._reason = ""

    def started(self) -> None:
        """Count a start that succeeded."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def failed(self, reason: str) -> None:
        """Count a start that failed for a local reason."""
        loop = asyncio.get_running_loop()
        self._last_at, self._reason = loop.time(), reason
        if self._timer is None:
            self._timer = loop.call_later(_GIVE_UP_SECONDS, self._decide)

    def _decide(self) -> None:
        self._timer = None
        if asyncio.get_running_loop().time() - self._last_at <= _TRIED_SECONDS:
            self._give_up(f"no worker has started here for {_GIVE_UP_SECONDS / 60:.0f} minutes: {self._reason}")
