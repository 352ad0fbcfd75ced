"""Damage to this container that only a new one mends: a full disk, no descriptors or processes left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_GIVE_UP_SECONDS = 600.0
_GAP_SECONDS = 600.0
"""Two failures further apart than the longest pause between two tries say nothing of the time between them."""

GiveUp = Callable[[str], None]
"""Ends the watcher with exit code 1, for this reason, so that ECS replaces its task."""


class LocalDamage:
    """Gives the container up once every start has failed for local reasons for ten minutes.

    One start that succeeds ends the count. Time in which no start is tried does not count: a watcher that receives
    nothing, on purpose or because nothing comes, is not damaged.
    """

    def __init__(self, give_up: GiveUp) -> None:
        self._give_up = give_up
        self._since: float | None = None
        self._last_at = 0.0

    def started(self) -> None:
        """Count a start that succeeded."""
        self._since = None

    def failed(self, reason: str) -> None:
        """Count a start that failed for a local reason."""
        now = asyncio.get_running_loop().time()
        if self._since is None or now - self._last_at > _GAP_SECONDS:
            self._since = now
        self._last_at = now
        if now - self._since >= _GIVE_UP_SECONDS:
            self._give_up(f"no worker has started here for {_GIVE_UP_SECONDS / 60:.0f} minutes: {reason}")
