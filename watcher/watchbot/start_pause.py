"""The pause of receiving while no worker starts, and the new messages that probe whether one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchbot.notice import Observer, Paused, Resumed

_PAUSING_FAILURES = 3
_PROBE_FROM_SECONDS = 5.0
_PROBE_TO_SECONDS = 300.0


class StartPause:
    """Begins with three starts in a row that failed for different messages, and ends with the first worker that starts.

    While it lasts, one slot is offered beside those of the messages already here: the next probe is a new message,
    because those here may be the ones that can never start. A probe that fails stays as well, and the next is offered
    after 5 seconds, then 10, up to 5 minutes.
    """

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self._changed: Callable[[], None] = lambda: None
        self._failing: dict[str, None] = {}
        self._probe_at = 0.0
        self._probe_seconds = _PROBE_FROM_SECONDS

    def on_change(self, changed: Callable[[], None]) -> None:
        """Call this from now on whenever the slots offered have changed."""
        self._changed = changed

    @property
    def is_on(self) -> bool:
        """Whether receiving is paused."""
        return len(self._failing) >= _PAUSING_FAILURES

    def offered(self, capacity: int, here: int, *, probing: bool) -> int:
        """Return the slots offered in a pause; ``probing`` while a new message is here already."""
        is_due = not probing and asyncio.get_running_loop().time() >= self._probe_at
        return min(capacity, here + is_due)

    def failed(self, message_id: str, reason: str, *, is_probe: bool) -> None:
        """Count a start that failed; ``is_probe`` if it was the first one under its lease."""
        was_on = self.is_on
        self._failing[message_id] = None
        if not self.is_on:
            return
        if not was_on:
            self._observe(Paused(reason))
        elif is_probe:
            loop = asyncio.get_running_loop()
            self._probe_at = loop.time() + self._probe_seconds
            loop.call_at(self._probe_at, self._changed)
            self._probe_seconds = min(self._probe_seconds * 2, _PROBE_TO_SECONDS)
        self._changed()

    def started(self) -> None:
        """End the pause."""
        if not self._failing:
            return
        was_on = self.is_on
        self._failing.clear()
        if was_on:
            self._probe_at, self._probe_seconds = 0.0, _PROBE_FROM_SECONDS
            self._observe(Resumed())
            self._changed()
