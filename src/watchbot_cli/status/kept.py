"""What is read again only after a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Gives what it read last, or ``first`` as if it had been read, for so long; a read that failed is made again."""

    def __init__(
        self, read: Callable[[], _T], seconds: float, now: Callable[[], float], first: _T | None = None
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._now = now
        self._kept: tuple[float, _T] | None = None if first is None else (now(), first)

    def __call__(self) -> _T:
        """Read, or remember."""
        now = self._now()
        if self._kept is None or now - self._kept[0] >= self._seconds:
            self._kept = (now, self._read())
        return self._kept[1]
