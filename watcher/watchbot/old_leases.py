"""Leases so old that SQS is about to end them, while their jobs live on outside of the watcher."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchbot.lease import Lease

OLD_SECONDS = 11 * 3600 + 50 * 60
"""SQS takes every message back 12 hours after its receive."""


class OldLeases:
    """Counts the watched leases that are old; ``changed`` is called whenever the number has changed.

    Their messages have to be received again for their jobs to go on under a new lease, and a watcher whose slots are
    all taken receives nothing: it offers one slot more for each of them.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._timers: dict[Lease, asyncio.TimerHandle] = {}
        self._old: set[Lease] = set()

    def __len__(self) -> int:
        """Count the old ones."""
        return len(self._old)

    def __contains__(self, lease: object) -> bool:
        """Whether this one is old."""
        return lease in self._old

    def watch(self, lease: Lease) -> None:
        """Look after a lease, from its newest receive on."""
        self.forget(lease)
        at = lease.message.received_at + OLD_SECONDS
        self._timers[lease] = asyncio.get_running_loop().call_at(at, self._age, lease)

    def forget(self, lease: Lease) -> None:
        """Stop looking after a lease; fine when nobody did."""
        timer = self._timers.pop(lease, None)
        if timer is not None:
            timer.cancel()
        if lease in self._old:
            self._old.remove(lease)
            self._changed()

    def renewed(self, lease: Lease) -> None:
        """Begin anew with a lease whose message was received again, if it was looked after."""
        if lease in self._timers:
            self.watch(lease)

    def _age(self, lease: Lease) -> None:
        self._old.add(lease)
        self._changed()
