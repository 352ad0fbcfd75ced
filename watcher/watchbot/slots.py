"""Slots: the room for workers that running jobs and open polls share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Slots:
    """Counts who has a slot; ``offered`` says how many there are now, which may be none for a while.

    A poll takes as many slots as it may bring messages, before it asks: a message received is a message that can
    run at once, and none waits here invisible to a watcher with room for it.
    """

    def __init__(self, offered: Callable[[], int]) -> None:
        self._offered = offered
        self._taken = 0
        self._changed = asyncio.Event()

    @property
    def offered(self) -> int:
        """How many slots there are now, taken or not."""
        return self._offered()

    @property
    def free(self) -> int:
        """How many more could be taken now."""
        return max(0, self._offered() - self._taken)

    def take(self, count: int) -> None:
        """Take slots that :attr:`free` has shown."""
        self._taken += count

    def give_back(self, count: int = 1) -> None:
        """Free slots and wake who waits for them."""
        self._taken -= count
        self._changed.set()

    def recount(self) -> None:
        """Wake who waits, because what is offered has changed."""
        self._changed.set()

    async def change(self) -> None:
        """Wait for the next change."""
        self._changed.clear()
        await self._changed.wait()
