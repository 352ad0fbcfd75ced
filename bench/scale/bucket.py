"""A token bucket, as AWS throttles with."""

from __future__ import annotations

from collections.abc import Callable


class TokenBucket:
    """Holds up to ``capacity`` tokens and gets ``rate`` of them a second, evenly; it starts full."""

    def __init__(self, capacity: float, rate: float, now: Callable[[], float]) -> None:
        self._capacity = capacity
        self._rate = rate
        self._now = now
        self._left = capacity
        self._filled_at = now()

    @property
    def is_empty(self) -> bool:
        """Whether there is no whole token left."""
        now = self._now()
        self._left = min(self._capacity, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return self._left < 1

    def take(self) -> None:
        """Take a token that :attr:`is_empty` has shown to be there."""
        self._left -= 1
