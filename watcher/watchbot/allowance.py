"""How many of something may happen: some at once, then one in a while."""

from __future__ import annotations


class Allowance:
    """Starts with ``most`` and gains one in every ``seconds_for_one``, up to ``most`` again."""

    def __init__(self, most: int, seconds_for_one: float) -> None:
        self._most = most
        self._seconds_for_one = seconds_for_one
        self._left = float(most)
        self._counted_at = 0.0

    def take(self, now: float, count: int = 1, *, leaving: int = 0) -> bool:
        """Take so many, if there are as many besides those that are to be left."""
        gained = max(0.0, now - self._counted_at) / self._seconds_for_one
        self._left = min(self._left + gained, float(self._most))
        self._counted_at = now
        if self._left < count + leaving:
            return False
        self._left -= count
        return True
